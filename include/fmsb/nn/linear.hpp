#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // extent, dynamic, index_t
#include "fmsb/nn/counts.hpp"      // product_of, sum_of
#include "fmsb/nn/initialise.hpp"  // drawn_uniform
#include "fmsb/nn/layer.hpp"       // layer

#include <string>  // std::string

namespace fmsb::nn {

/// Whether a layer adds a bias.
enum class bias_term : bool { no, yes };

/// Run-time extents of a linear layer. What the type fixes may stay `dynamic` here.
struct linear_extents {
  index_t in = dynamic;
  index_t out = dynamic;
};

/// y = x W' + b, on the last axis.
///
/// Registers `weight` [out, in] and, with a bias, `bias` [out], as LibTorch's Linear does, drawn from
/// U(-1/sqrt(in), 1/sqrt(in)).
///
/// @tparam In, Out  features, or `dynamic`
template <index_t In = dynamic, index_t Out = dynamic, bias_term Bias = bias_term::yes>
class linear : public layer {
 public:
  using extents_type = linear_extents;
  using plain = linear;                            ///< what merging an adapter gives
  using biased = linear<In, Out, bias_term::yes>;  ///< the same with a bias
  static constexpr bool has_bias = Bias == bias_term::yes;
  static constexpr index_t in_features = In, out_features = Out;
  static constexpr int spatial_axes = 0;
  static constexpr index_t groups = 1;  ///< blocks of the weight that share no input
  static constexpr index_t weight_count = product_of(In, Out);
  static constexpr index_t parameter_count = sum_of(weight_count, has_bias ? Out : 0);
  static constexpr index_t multiply_adds = weight_count;
  static constexpr index_t receptive_field = 1;

  tensor weight;  ///< [out, in]
  tensor bias;    ///< [out]; undefined without a bias

  linear() requires(In != dynamic && Out != dynamic) : linear(linear_extents{}) {}
  /// @throws usage_error for an extent that neither the type nor the argument fixes, or on which they differ
  explicit linear(linear_extents given)
      : in_(chosen_extent<In>("nn::linear", "in", given.in)),
        out_(chosen_extent<Out>("nn::linear", "out", given.out)) {}

  void reset() override {
    const double bound = fan_in_bound(in_);
    weight = register_parameter("weight", drawn_uniform({out_, in_}, bound));
    if constexpr (has_bias) bias = register_parameter("bias", drawn_uniform({out_}, bound));
  }

  linear_extents extents() const { return {.in = in_, .out = out_}; }

  /// x [..., in] through any weight [outputs, in], without bias: the layer's geometry for adapters.
  tensor map(const tensor& x, const tensor& any_weight) const { return at::linear(x, any_weight); }
  /// z [..., rank] through a matrix [out, rank]: what follows `map` in a factored weight.
  tensor mix(const tensor& z, const tensor& matrix) const { return at::linear(z, matrix); }

  /// y [..., out] with a bias [out] added.
  tensor with_bias(const tensor& y, const tensor& any_bias) const { return y + any_bias; }

  /// The weight and bias that `forward` amounts to; adapters add theirs.
  tensor effective_weight() const { return weight; }
  tensor effective_bias() const { return bias; }

  /// @param x  [..., in]
  /// @return [..., out]
  /// @throws usage_error naming both where the last axis of x has another size
  tensor forward(const tensor& x) const {
    if (x.dim() == 0 || x.size(-1) != in_)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; the last axis must have " + std::to_string(index_t{in_}) + " features.");
    return at::linear(x, weight, bias);
  }

  std::string describe() const override {
    return "linear(in=" + std::to_string(index_t{in_}) + ", out=" + std::to_string(index_t{out_}) +
           (has_bias ? ")" : ", bias=no)");
  }

 private:
  [[no_unique_address]] extent<In> in_;
  [[no_unique_address]] extent<Out> out_;
};

}  // namespace fmsb::nn
