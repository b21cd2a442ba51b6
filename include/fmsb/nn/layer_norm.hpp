#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // extent, chosen_extent, dynamic, index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/counts.hpp"         // sum_of
#include "fmsb/nn/initialise.hpp"     // filled
#include "fmsb/nn/layer.hpp"          // layer

#include <string>  // std::string

namespace fmsb::nn {

struct layer_norm_options {
  double eps = 1e-5;   ///< added to the variance
  bool affine = true;  ///< a gain and, unless turned off, a bias
  bool bias = true;
  friend bool operator==(const layer_norm_options&, const layer_norm_options&) = default;
};

/// Run-time extent of a norm over features. What the type fixes may stay `dynamic` here.
struct norm_extents {
  index_t features = dynamic;
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, over the last axis, with the variance of the
/// population (Ba, Kiros and Hinton, "Layer Normalization", arXiv 1607.06450, eq. 4).
///
/// Registers `weight` [features] at one and `bias` [features] at zero, as LibTorch's LayerNorm does.
///
/// @tparam Features  size of the last axis, or `dynamic`
template <index_t Features = dynamic, layer_norm_options Options = {}>
class layer_norm : public layer {
  static_assert(Options.eps >= 0, "fmsb::nn::layer_norm requires an eps from 0 on");

 public:
  using extents_type = norm_extents;
  using plain = layer_norm;
  static constexpr layer_norm_options options = Options;
  static constexpr bool has_weight = Options.affine;
  static constexpr bool has_bias = Options.affine && Options.bias;
  static constexpr index_t features = Features;
  static constexpr index_t parameter_count = sum_of(has_weight ? Features : 0, has_bias ? Features : 0);
  static constexpr index_t multiply_adds = has_weight ? Features : 0;
  static constexpr index_t receptive_field = 1;

  tensor weight;  ///< [features]; undefined without the affine map
  tensor bias;    ///< [features]; undefined without a bias

  layer_norm() requires(Features != dynamic) : layer_norm(norm_extents{}) {}
  /// @throws usage_error if neither the type nor the argument says the features, or they differ
  explicit layer_norm(norm_extents given)
      : features_(chosen_extent<Features>("nn::layer_norm", "features", given.features)) {}

  void reset() override {
    if constexpr (has_weight) weight = register_parameter("weight", filled({features_}, 1));
    if constexpr (has_bias) bias = register_parameter("bias", filled({features_}, 0));
  }

  norm_extents extents() const { return {.features = features_}; }

  /// @param x  [..., features]
  /// @return the same shape
  /// @throws usage_error naming both where the last axis of x has another size
  tensor forward(const tensor& x) const {
    if (x.dim() == 0 || x.size(-1) != features_)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; the last axis must have " + std::to_string(index_t{features_}) + " features.");
    return at::layer_norm(x, {features_}, weight, bias, Options.eps);
  }

  std::string describe() const override {
    return "layer_norm(features=" + std::to_string(index_t{features_}) + ", eps=" + number_text(Options.eps) +
           (!has_weight ? ", affine=no)"
            : has_bias  ? ")"
                        : ", bias=no)");
  }

 private:
  [[no_unique_address]] extent<Features> features_;
};

}  // namespace fmsb::nn
