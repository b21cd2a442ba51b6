#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // extent, chosen_extent, dynamic, index_t
#include "fmsb/nn/counts.hpp"      // product_of, quotient_of, sum_of
#include "fmsb/nn/initialise.hpp"  // drawn_uniform, fan_in_bound
#include "fmsb/nn/layer.hpp"       // layer
#include "fmsb/nn/linear.hpp"      // bias_term

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::nn {

/// What stands beyond the borders of a convolution's input.
enum class padding_mode { zeros, reflect, replicate, circular };

/// For `conv_options::padding`: no padding, and as much as keeps the length at stride 1. Of an odd total
/// `same` puts the greater part behind, as LibTorch does.
inline constexpr index_t valid = 0;
inline constexpr index_t same = -1;

/// The geometry of a convolution, equal on every axis.
struct conv_options {
  index_t stride = 1;
  index_t dilation = 1;
  index_t groups = 1;
  index_t padding = valid;  ///< positions on either side, or `same`
  padding_mode mode = padding_mode::zeros;
  bias_term bias = bias_term::yes;
  friend bool operator==(const conv_options&, const conv_options&) = default;
};

/// Run-time extents of a convolution. What the type fixes may stay `dynamic` here.
struct conv_extents {
  index_t in = dynamic;
  index_t out = dynamic;
};

/// Convolution (cross-correlation, as LibTorch's) over one or two axes:
///
///     y[o, t] = b[o] + sum_{i, j} weight[o, i, j] x[first(o) + i, stride t + dilation j - padding],
///
/// where output o sees the In / groups channels of its group, which begin at first(o); on two axes t and j
/// are pairs.
///
/// Registers `weight` [out, in / groups, kernel(, kernel)] and, with a bias, `bias` [out], as LibTorch's
/// Conv1d and Conv2d do, drawn from U(-1/sqrt(fan in), 1/sqrt(fan in)), fan in = in / groups * kernel^Axes.
///
/// @tparam Axes     1 or 2
/// @tparam In, Out  channels, or `dynamic`; multiples of the groups
/// @tparam Kernel   taps along each axis
template <int Axes, index_t In, index_t Out, index_t Kernel, conv_options Options = {}>
class conv : public layer {
  static_assert(Axes == 1 || Axes == 2, "fmsb::nn::conv<Axes, ...> convolves over 1 or 2 axes");
  static_assert(Kernel >= 1, "fmsb::nn::conv requires a kernel of at least 1");
  static_assert(Options.stride >= 1 && Options.dilation >= 1 && Options.groups >= 1,
                "fmsb::nn::conv requires stride, dilation and groups of at least 1");
  static_assert(Options.padding >= same,
                "fmsb::nn::conv requires a padding from 0 on, fmsb::nn::valid or fmsb::nn::same");
  static_assert(
      Options.padding != same || Options.stride == 1,
      "fmsb::nn::conv: padding `same` keeps the length at stride 1 only; with another stride give the "
      "padding as a number");
  static_assert((In == dynamic || In % Options.groups == 0) && (Out == dynamic || Out % Options.groups == 0),
                "fmsb::nn::conv requires input and output channels that are multiples of the groups");

 public:
  using extents_type = conv_extents;
  using plain = conv;  ///< what merging an adapter gives
  /// The same with a bias.
  using biased = conv<Axes, In, Out, Kernel,
                      conv_options{Options.stride, Options.dilation, Options.groups, Options.padding,
                                   Options.mode, bias_term::yes}>;
  static constexpr conv_options options = Options;
  static constexpr bool has_bias = Options.bias == bias_term::yes;
  static constexpr index_t in_features = In, out_features = Out;
  static constexpr index_t kernel = Kernel;
  static constexpr int spatial_axes = Axes;
  static constexpr index_t groups = Options.groups;  ///< blocks of the weight that share no input
  static constexpr index_t taps = Axes == 1 ? Kernel : Kernel * Kernel;
  static constexpr index_t weight_count = product_of(quotient_of(In, groups), Out, taps);
  static constexpr index_t parameter_count = sum_of(weight_count, has_bias ? Out : 0);
  static constexpr index_t multiply_adds = weight_count;  ///< for one position of the output
  static constexpr index_t receptive_field = (Kernel - 1) * Options.dilation + 1;  ///< along one axis
  static constexpr index_t stride = Options.stride;

  tensor weight;  ///< [out, in / groups, kernel(, kernel)]
  tensor bias;    ///< [out]; undefined without a bias

  conv() requires(In != dynamic && Out != dynamic) : conv(conv_extents{}) {}
  /// @throws usage_error for an extent that neither the type nor the argument fixes, on which they differ, or
  ///         that is no multiple of the groups
  explicit conv(conv_extents given)
      : in_(chosen_extent<In>("nn::conv", "in", given.in)),
        out_(chosen_extent<Out>("nn::conv", "out", given.out)) {
    if (in_ % groups != 0 || out_ % groups != 0)
      throw usage_error("fmsb::nn::conv: " + std::to_string(index_t{in_}) + " input and " +
                        std::to_string(index_t{out_}) + " output channels were given for " +
                        std::to_string(groups) + " groups; both must be multiples of the groups.");
  }

  void reset() override {
    std::vector<index_t> sizes{out_, in_ / groups};
    sizes.insert(sizes.end(), Axes, Kernel);
    const double bound = fan_in_bound(in_ / groups * taps);
    weight = register_parameter("weight", drawn_uniform(sizes, bound));
    if constexpr (has_bias) bias = register_parameter("bias", drawn_uniform({out_}, bound));
  }

  conv_extents extents() const { return {.in = in_, .out = out_}; }

  /// x through any weight [outputs, in / groups, kernel...] whose outputs are a multiple of the groups,
  /// without bias: the layer's geometry, padding mode included, for adapters.
  tensor map(const tensor& x, const tensor& any_weight) const { return convolved(x, any_weight, {}); }

  /// z [batch, groups * rank, positions...] through a matrix [out, rank, 1(, 1)], each group by its own rows:
  /// what follows `map` in a factored weight.
  tensor mix(const tensor& z, const tensor& matrix) const {
    constexpr index_t one = 1, none = 0;
    if constexpr (Axes == 1)
      return at::conv1d(z, matrix, {}, one, none, one, groups);
    else
      return at::conv2d(z, matrix, {}, one, none, one, groups);
  }

  /// y [batch, out, positions...] with a bias [out] added.
  tensor with_bias(const tensor& y, const tensor& any_bias) const {
    std::vector<index_t> sizes(Axes + 1, 1);
    sizes[0] = -1;
    return y + any_bias.reshape(sizes);
  }

  /// The weight and bias that `forward` amounts to; adapters add theirs.
  tensor effective_weight() const { return weight; }
  tensor effective_bias() const { return bias; }

  /// @param x  [batch, in, length] or [batch, in, height, width]; the batch axis may be absent
  /// @return [batch, out, positions...], of floor((size + padding - receptive_field) / stride) + 1 positions
  ///         along an axis, where padding counts both sides
  /// @throws usage_error for another number of axes or channels, or an axis that is too short for the kernel
  ///         or for its padding
  tensor forward(const tensor& x) const {
    require_input(x);
    return convolved(x, weight, bias);
  }

  std::string describe() const override {
    std::string text = "conv" + std::to_string(Axes) + "d(in=" + std::to_string(index_t{in_}) +
                       ", out=" + std::to_string(index_t{out_}) + ", kernel=" + std::to_string(Kernel);
    const auto add = [&text](const char* name, index_t value, index_t usual) {
      if (value != usual) text += std::string(", ") + name + "=" + std::to_string(value);
    };
    add("stride", Options.stride, 1);
    add("dilation", Options.dilation, 1);
    add("groups", groups, 1);
    if constexpr (Options.padding == same)
      text += ", padding=same";
    else
      add("padding", Options.padding, 0);
    if constexpr (pads && Options.mode != padding_mode::zeros)
      text += std::string(", padding_mode=") + mode_name();
    return text + (has_bias ? ")" : ", bias=no)");
  }

 private:
  static constexpr index_t pad_total =
      Options.padding == same ? (Kernel - 1) * Options.dilation : 2 * Options.padding;
  static constexpr index_t pad_before = pad_total / 2, pad_behind = pad_total - pad_before;
  static constexpr bool pads = pad_total > 0;
  /// Whether LibTorch's convolution pads by itself.
  static constexpr bool pads_inside = Options.mode == padding_mode::zeros && pad_before == pad_behind;

  static constexpr const char* mode_name() {
    constexpr std::array names{"constant", "reflect", "replicate", "circular"};
    return names[static_cast<std::size_t>(Options.mode)];
  }

  static tensor padded(const tensor& x) {
    if constexpr (!pads || pads_inside) return x;
    std::vector<index_t> around;
    for (int axis = 0; axis < Axes; ++axis) around.insert(around.end(), {pad_before, pad_behind});
    if (Options.mode == padding_mode::circular && x.dim() == Axes + 1)
      return at::pad(x.unsqueeze(0), around, mode_name()).squeeze(0);
    return at::pad(x, around, mode_name());
  }

  static tensor convolved(const tensor& x, const tensor& any_weight, const tensor& any_bias) {
    const auto y = padded(x);
    constexpr index_t inside = pads_inside ? pad_before : 0;
    if constexpr (Axes == 1)
      return at::conv1d(y, any_weight, any_bias, Options.stride, inside, Options.dilation, groups);
    else
      return at::conv2d(y, any_weight, any_bias, Options.stride, inside, Options.dilation, groups);
  }

  void require_input(const tensor& x) const {
    const auto refuse = [&](const std::string& wanted) {
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) + "; " + wanted);
    };
    if ((x.dim() != Axes + 1 && x.dim() != Axes + 2) || x.size(-Axes - 1) != in_)
      refuse("it takes [batch, " + std::to_string(index_t{in_}) +
             (Axes == 1 ? ", length]" : ", height, width]") + ", with or without the batch.");
    // Reflection repeats all but the border itself, a circle no position twice.
    constexpr index_t least = !pads                                    ? 1
                              : Options.mode == padding_mode::reflect  ? pad_behind + 1
                              : Options.mode == padding_mode::circular ? pad_behind
                                                                       : 1;
    constexpr index_t field = receptive_field - pad_total, shortest = field > least ? field : least;
    for (int axis = 1; axis <= Axes; ++axis)
      if (x.size(-axis) < shortest)
        refuse("each axis must have at least " + std::to_string(shortest) + " positions.");
  }

  [[no_unique_address]] extent<In> in_;
  [[no_unique_address]] extent<Out> out_;
};

template <index_t In, index_t Out, index_t Kernel, conv_options Options = {}>
using conv1d = conv<1, In, Out, Kernel, Options>;
template <index_t In, index_t Out, index_t Kernel, conv_options Options = {}>
using conv2d = conv<2, In, Out, Kernel, Options>;

}  // namespace fmsb::nn
