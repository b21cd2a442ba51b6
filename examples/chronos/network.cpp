#include "network.hpp"

#include "fmsb/core/error.hpp"               // data_error
#include "fmsb/models/chronos/examples.hpp"  // example_sampler
#include "fmsb/models/chronos/forecast.hpp"  // forecast
#include "fmsb/nn/module.hpp"                // module
#include "fmsb/nn/tree.hpp"                  // count_parameters
#include "fmsb/report/progress.hpp"          // progress
#include "fmsb/train/fit.hpp"                // fit

#include "typed.hpp"  // any_model

#include <torch/optim/adamw.h>

#include <algorithm>  // std::min
#include <optional>   // std::optional

namespace driver {

namespace {

/// The examples of Chronos' training as `train::fit` draws them.
class resumable_examples {
 public:
  resumable_examples(const fmsb::chronos::tokenizer& tokens, const fmsb::chronos::windows& from,
                     const training& how)
      : batches_(tokens, from,
                 {.batch = static_cast<fmsb::index_t>(how.batch), .blanked = how.blanked, .seed = how.seed}) {
  }

  auto next() { return batches_.next(); }
  fmsb::train::sampler_state state() const {
    const auto s = batches_.state();
    return {s.begin(), s.end()};
  }
  void restore(const fmsb::train::sampler_state& s) {
    if (s.size() != 2)
      throw fmsb::data_error("The checkpoint is of a training with other examples; begin another folder.");
    batches_.restore({s[0], s[1]});
  }

 private:
  fmsb::chronos::example_sampler batches_;
};

/// Where each of several methods has its own peft directory.
std::filesystem::path folder_of(const std::filesystem::path& adapter, const std::string& method,
                                std::size_t methods) {
  return methods > 1 ? adapter / method : adapter;
}

class any_network final : public network {
 public:
  any_network(std::shared_ptr<typed> model, const fmsb::chronos::config& tokens,
              std::vector<std::string> methods)
      : model_(std::move(model)), tokens_(tokens), methods_(std::move(methods)) {}

  const fmsb::chronos::config& tokens() const override { return tokens_.configuration(); }

  std::pair<std::int64_t, std::int64_t> counts() const override {
    const auto counted = fmsb::nn::count_parameters(*model_);
    return {counted.trainable, counted.all};
  }

  paths forecast(std::span<const values> pasts, const sampling& how) override {
    model_->eval();
    std::optional<fmsb::report::progress> line;
    if (!how.progress.empty()) line.emplace(how.progress, pasts.size());
    fmsb::chronos::forecast_options options{.samples = static_cast<fmsb::index_t>(how.samples),
                                            .seed = how.seed};
    if (how.horizon > 0) options.horizon = static_cast<fmsb::index_t>(how.horizon);
    if (line) options.advanced = [&](std::size_t done) { line->advance(done); };
    const auto drawn = fmsb::chronos::forecast(*model_, tokens_, pasts, options).contiguous();
    const auto* const from = drawn.const_data_ptr<float>();
    return {.samples = static_cast<std::size_t>(drawn.size(1)),
            .horizon = static_cast<std::size_t>(drawn.size(2)),
            .numbers = {from, from + drawn.numel()}};
  }

  double loss(std::span<const past_and_future> windows) override {
    const torch::NoGradGuard no_gradient;
    const bool training = model_->is_training();
    model_->eval();
    double sum = 0;
    constexpr std::size_t at_once = 64;
    for (std::size_t first = 0; first < windows.size(); first += at_once) {
      const auto some = windows.subspan(first, std::min(at_once, windows.size() - first));
      const auto b = batch_of(some);
      sum += model_->loss(b.ids, b.mask, b.labels).item<double>() * static_cast<double>(some.size());
    }
    model_->train(training);
    return sum / static_cast<double>(windows.size());
  }

  fmsb::train::history fit(const fmsb::chronos::windows& examples, const training& how) override {
    using namespace fmsb;
    torch::manual_seed(how.seed);
    resumable_examples batches(tokens_, examples, how);
    torch::optim::AdamW adam(train::trainable(model_), torch::optim::AdamWOptions(how.rate).weight_decay(0));
    train::hooks<nn::module<any_model>> with;
    if (!how.held_out.empty()) with.validate = [&](auto&) { return loss(how.held_out); };
    train::fit_options options{.steps = how.steps,
                               .rate = train::linear_rate{},
                               .clip_norm = how.clip_norm,
                               .validation = {.restore_best = how.keep_best},
                               .checkpoint = {.file = how.checkpoint, .every = how.validate_every},
                               .log = {.file = how.log, .every = 10},
                               .progress = how.progress,
                               .about = how.about};
    if (with.validate) options.validation.every = how.validate_every, options.validation.at_start = true;
    const auto step = [](auto& model, const chronos::example_batch& b) {
      return model->loss(b.ids, b.mask, b.labels);
    };
    return train::fit(model_, adam, batches, step, options, with);
  }

  void save(const std::filesystem::path& folder) const override { model_->own().save(tokens(), folder); }

  void save_adapter(const std::filesystem::path& folder, const std::string& base) const override {
    for (const auto& method : methods_)
      model_->own().save_adapter(folder_of(folder, method, methods_.size()), base, method);
  }

  void load_adapter(const std::filesystem::path& folder) override {
    for (const auto& method : methods_)
      model_->own().load_adapter(folder_of(folder, method, methods_.size()), method);
  }

 private:
  fmsb::chronos::example_batch batch_of(std::span<const past_and_future> windows) const {
    std::vector<values> pasts, futures;
    for (const auto& [past, future] : windows) pasts.push_back(past), futures.push_back(future);
    const auto context = tokens_.encode(pasts);
    return {context.ids, context.mask, tokens_.encode_labels(futures, context.scale).labels};
  }

  fmsb::nn::module<any_model> model_;
  fmsb::chronos::tokenizer tokens_;
  std::vector<std::string> methods_;
};

}  // namespace

std::unique_ptr<network> network_of(std::shared_ptr<typed> model, const fmsb::chronos::config& tokens,
                                    std::vector<std::string> methods) {
  return std::make_unique<any_network>(std::move(model), tokens, std::move(methods));
}

}  // namespace driver
