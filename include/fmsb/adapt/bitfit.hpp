#pragma once
#include "fmsb/adapt/adapted.hpp"  // adapted, is_adapted
#include "fmsb/nn/counts.hpp"      // sum_of

#include <concepts>  // std::convertible_to
#include <string>    // std::string

namespace fmsb::adapt {

namespace detail {

/// Whether a layer registers a `bias`.
template <class T>
constexpr bool holds_bias() {
  if constexpr (requires {
                  { T::has_bias } -> std::convertible_to<bool>;
                })
    return T::has_bias;
  else
    return false;
}

/// Numbers in a layer's bias: one for each output.
template <class T>
constexpr index_t bias_count() {
  if constexpr (requires { T::out_features; })
    return T::out_features;
  else if constexpr (requires { T::features; })
    return T::features;
  else
    return dynamic;
}

}  // namespace detail

/// Trains the bias that a layer has, and nothing else (Ben Zaken, Goldberg and Ravfogel, "BitFit", ACL 2022).
///
/// Registers nothing. For linear and convolution layers and norms with a bias; other adapters may follow it.
struct bitfit {
  static std::string describe() { return "bitfit"; }
  template <nn::layer_type Base>
  class on;
};

/// The adapted layer: its forward is the base's.
template <nn::layer_type Base>
class bitfit::on : public adapted<Base, 0> {
  static_assert(detail::holds_bias<Base>(),
                "fmsb::adapt::bitfit: this layer has no bias to train; fmsb::adapt::beft adds one and trains "
                "it, with the same count");
  static_assert(!is_adapted<Base>,
                "fmsb::adapt::bitfit stands directly on the layer whose bias it trains; write it first: "
                "nn::with<layer, adapt::bitfit, others...>");

 public:
  using adapter = bitfit;
  using parent = adapted<Base, 0>;
  static constexpr index_t adapter_parameter_count = detail::bias_count<Base>();
  static constexpr index_t trainable_parameter_count = adapter_parameter_count;
  using parent::parent;

  void reset() override {
    parent::reset();
    this->bias.requires_grad_(true);
  }

  std::string describe() const override { return Base::describe() + " + " + bitfit::describe(); }
};

}  // namespace fmsb::adapt
