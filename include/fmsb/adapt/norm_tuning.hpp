#pragma once
#include "fmsb/adapt/adapted.hpp"          // adapted, is_adapted, linear_map
#include "fmsb/adapt/start_from_base.hpp"  // starts_from_base
#include "fmsb/nn/counts.hpp"              // parameters
#include "fmsb/nn/module.hpp"              // concrete

#include <memory>  // std::make_shared, std::shared_ptr
#include <string>  // std::string

namespace fmsb::adapt {

/// Trains a copy of a norm's numbers and keeps the norm (Zhao et al., "Tuning LayerNorm in Attention", ICLR
/// 2024). Any norm layer; merging puts the copy in place of the norm, exactly.
///
/// Registers the copy as the child `ln_tuning_layers`; its parameters are the norm's.
struct norm_tuning {
  static std::string describe() { return "norm_tuning"; }
  template <nn::layer_type Base>
  class on;
};

/// The adapted norm: its forward is the copy's.
template <nn::layer_type Base>
class norm_tuning::on : public adapted<Base, nn::parameters<Base>>, public starts_from_base {
  static_assert(!linear_map<Base> && !is_adapted<Base> && nn::parameters<Base> != 0,
                "fmsb::adapt::norm_tuning stands directly on a norm with numbers to train; another layer is "
                "trained whole by fmsb::adapt::full");

 public:
  using adapter = norm_tuning;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  void reset() override {
    parent::reset();
    tuned_ = this->register_module("ln_tuning_layers", nn::detail::build_as<Base>(*this));
    const torch::NoGradGuard no_gradient;
    start_from_base();
  }

  /// Copies the norm's numbers into the copy.
  void start_from_base() override {
    const auto copies = tuned_->named_parameters(), buffers = tuned_->named_buffers();
    for (const auto& item : this->named_parameters(/*recurse=*/false)) copies[item.key()].copy_(*item);
    for (const auto& item : this->named_buffers(/*recurse=*/false)) buffers[item.key()].copy_(*item);
  }

  /// The copy that trains.
  const Base& tuned() const { return *tuned_; }

  tensor forward(const tensor& x) const { return tuned().forward(x); }

  std::string describe() const override { return Base::describe() + " + " + norm_tuning::describe(); }

 private:
  std::shared_ptr<nn::concrete<Base>> tuned_;
};

}  // namespace fmsb::adapt
