#pragma once
#include "fmsb/adapt/merge.hpp"          // merge
#include "fmsb/adapt/peft_files.hpp"     // save_peft, load_peft
#include "fmsb/models/chronos/load.hpp"  // load
#include "fmsb/models/chronos/save.hpp"  // save

#include "typed.hpp"

#include <concepts>  // std::same_as

namespace driver {

template <fmsb::models::t5_config C, class Plan>
class typed_model final : public typed {
 public:
  using model_type = fmsb::models::t5<C, Plan>;
  static constexpr bool adapted = !std::same_as<Plan, fmsb::adapt::none>;

  explicit typed_model(fmsb::nn::module<model_type> model) : model_(std::move(model)) {}

  std::shared_ptr<torch::nn::Module> module() const override { return model_.ptr(); }
  std::string describe() const override { return model_->describe(); }
  tensor encode(const tensor& ids, const tensor& mask) const override { return model_->encode(ids, mask); }
  tensor loss(const tensor& ids, const tensor& mask, const tensor& labels) const override {
    return model_->loss(ids, mask, labels);
  }

  std::unique_ptr<token_steps> start(const tensor& encoded, const tensor& mask,
                                     fmsb::index_t samples) const override {
    struct own final : token_steps {
      decltype(std::declval<const model_type&>().start(tensor(), tensor(), 1)) next;
      explicit own(decltype(next) begun) : next(std::move(begun)) {}
      tensor step(const tensor& tokens) override { return next.step(tokens); }
    };
    return std::make_unique<own>(model_->start(encoded, mask, samples));
  }

  void save(const fmsb::chronos::config& c, const std::filesystem::path& folder) const override {
    if constexpr (!adapted)
      fmsb::chronos::save(model_, c, folder);
    else if constexpr (std::same_as<fmsb::nn::plain_of<model_type>, fmsb::models::t5<C>>)
      fmsb::chronos::save(fmsb::adapt::merge(model_), c, folder);
    else
      throw fmsb::usage_error(
          "An adapter with beft adds biases, for which Hugging Face's T5 has no place: it cannot be merged "
          "into "
          "such a folder. Keep the peft directory, which Python's peft reads.");
  }

  void save_adapter(const std::filesystem::path& folder, const std::string& base,
                    const std::string& method) const override {
    if constexpr (adapted) {
      fmsb::adapt::peft_options options{.method = method};
      options.config.fields["base_model_name_or_path"] = base;
      options.config.fields["task_type"] = "SEQ_2_SEQ_LM";
      fmsb::adapt::save_peft(model_, folder, options);
    }
  }

  void load_adapter(const std::filesystem::path& folder, const std::string& method) override {
    if constexpr (adapted) fmsb::adapt::load_peft(model_, folder, {.method = method});
  }

 private:
  fmsb::nn::module<model_type> model_;
};

}  // namespace driver
