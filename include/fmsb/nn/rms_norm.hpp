#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // extent, chosen_extent, dynamic, index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/initialise.hpp"     // filled
#include "fmsb/nn/layer.hpp"          // layer
#include "fmsb/nn/layer_norm.hpp"     // norm_extents

#include <string>  // std::string

namespace fmsb::nn {

struct rms_norm_options {
  double eps = 1e-6;  ///< added to the mean square
  friend bool operator==(const rms_norm_options&, const rms_norm_options&) = default;
};

/// y = x / sqrt(mean(x^2) + eps) * weight, over the last axis: no mean is taken off and nothing is added
/// (Zhang and Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019, eq. 4). The norm of T5.
///
/// For float16 and bfloat16 inputs the division is done in float32 and rounded once, before the gain.
///
/// Registers `weight` [features] at one.
///
/// @tparam Features  size of the last axis, or `dynamic`
template <index_t Features = dynamic, rms_norm_options Options = {}>
class rms_norm : public layer {
  static_assert(Options.eps >= 0, "fmsb::nn::rms_norm requires an eps from 0 on");

 public:
  using extents_type = norm_extents;
  using plain = rms_norm;
  static constexpr rms_norm_options options = Options;
  static constexpr bool has_weight = true;
  static constexpr bool has_bias = false;
  static constexpr index_t features = Features;
  static constexpr index_t parameter_count = Features;
  static constexpr index_t multiply_adds = Features;
  static constexpr index_t receptive_field = 1;

  tensor weight;  ///< [features]

  rms_norm() requires(Features != dynamic) : rms_norm(norm_extents{}) {}
  /// @throws usage_error if neither the type nor the argument says the features, or they differ
  explicit rms_norm(norm_extents given)
      : features_(chosen_extent<Features>("nn::rms_norm", "features", given.features)) {}

  void reset() override { weight = register_parameter("weight", filled({features_}, 1)); }

  norm_extents extents() const { return {.features = features_}; }

  /// @param x  [..., features]
  /// @return the same shape, of the wider number type of x and the weight
  /// @throws usage_error naming both where the last axis of x has another size
  tensor forward(const tensor& x) const {
    if (x.dim() == 0 || x.size(-1) != features_)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; the last axis must have " + std::to_string(index_t{features_}) + " features.");
    const bool half = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
    const auto wide = half ? x.to(at::kFloat) : x;
    const auto unit = wide * (wide.square().mean(-1, /*keepdim=*/true) + Options.eps).rsqrt();
    return (half ? unit.to(x.scalar_type()) : unit) * weight;
  }

  std::string describe() const override {
    return "rms_norm(features=" + std::to_string(index_t{features_}) + ", eps=" + number_text(Options.eps) +
           ")";
  }

 private:
  [[no_unique_address]] extent<Features> features_;
};

}  // namespace fmsb::nn
