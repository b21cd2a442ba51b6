#pragma once
#include "fmsb/core/constant_text.hpp"        // string_outlet
#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/core/extent.hpp"               // extent, chosen_extent, dynamic, index_t
#include "fmsb/nn/conv.hpp"                   // conv_extents
#include "fmsb/nn/counts.hpp"                 // product_of, quotient_of, sum_of
#include "fmsb/nn/depthwise_convolution.hpp"  // convolve_depthwise
#include "fmsb/nn/initialise.hpp"             // drawn_uniform, fan_in_bound
#include "fmsb/nn/layer.hpp"                  // layer
#include "fmsb/nn/linear.hpp"                 // bias_term
#include "fmsb/nn/mixed_cost.hpp"             // mixed_method, mixed_shape, depthwise
#include "fmsb/nn/spectral_convolution.hpp"   // convolve_by_spectrum
#include "fmsb/space/conv_space.hpp"          // dilation_of, receptive_field, tap

#include <ATen/ops/convolution.h>  // at::convolution

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::nn {

struct conv_at_options {
  index_t stride = 1;
  index_t groups = 1;  ///< or `depthwise`
  bias_term bias = bias_term::yes;
  friend bool operator==(const conv_at_options&, const conv_at_options&) = default;
};

/// The convolution of one point of a space, centred, with zeros around the input: what a search has chosen in
/// place of a `mixed_conv` of the same extents, stride and groups, by whichever of LibTorch's convolution and
/// the library's kernels is faster.
///
/// Registers `weight` [out, in / groups, kernel(, kernel)] and, with a bias, `bias` [out], as LibTorch's
/// convolutions do, drawn from U(-1/sqrt(fan in), 1/sqrt(fan in)).
///
/// @tparam Axes     1 or 2; on two axes kernel and dilation are those of both
/// @tparam Point    a point with an axis "kernel" and perhaps one named "dilation"
/// @tparam In, Out  channels, or `dynamic`; multiples of the groups, and equal where it is depthwise
template <int Axes, auto Point, index_t In, index_t Out, conv_at_options Options = {}>
class conv_at : public layer {
  static_assert(Axes == 1 || Axes == 2, "fmsb::nn::conv_at<Axes, ...> convolves over 1 or 2 axes");
  static_assert(Options.stride >= 1 && Options.groups >= 0,
                "fmsb::nn::conv_at requires a stride of at least 1, and groups of at least 1 or "
                "fmsb::nn::depthwise");
  static constexpr bool alone = Options.groups == depthwise;
  static_assert(!alone || In == Out,
                "fmsb::nn::conv_at: a depthwise convolution has as many outputs as inputs");
  static_assert(alone || ((In == dynamic || In % Options.groups == 0) &&
                          (Out == dynamic || Out % Options.groups == 0)),
                "fmsb::nn::conv_at requires input and output channels that are multiples of the groups");

 public:
  using extents_type = conv_extents;
  static constexpr auto point = Point;
  static constexpr conv_at_options options = Options;
  static constexpr bool has_bias = Options.bias == bias_term::yes;
  static constexpr index_t in_features = In, out_features = Out;
  static constexpr int spatial_axes = Axes;
  static constexpr index_t kernel = space::get<"kernel">(Point), dilation = space::dilation_of(Point);
  static constexpr index_t taps = Axes == 1 ? kernel : kernel * kernel;
  static constexpr index_t inputs_seen = alone ? 1 : quotient_of(In, alone ? 1 : Options.groups);
  static constexpr index_t weight_count = product_of(inputs_seen, Out, taps);
  static constexpr index_t parameter_count = sum_of(weight_count, has_bias ? Out : 0);
  static constexpr index_t multiply_adds = weight_count;  ///< for one position of the output
  static constexpr index_t receptive_field = space::receptive_field(Point);  ///< along one axis
  static constexpr index_t stride = Options.stride;

  tensor weight;  ///< [out, in / groups, kernel(, kernel)]
  tensor bias;    ///< [out]; undefined without a bias
  /// `direct`, `spectrum`, `kernel` (LibTorch's convolution), or whichever is expected to be fastest.
  mixed_method method = mixed_method::automatic;

  conv_at() requires(In != dynamic && Out != dynamic) : conv_at(conv_extents{}) {}
  /// @throws usage_error for an extent that neither the type nor the argument fixes, on which they differ, or
  ///         that is no multiple of the groups
  explicit conv_at(conv_extents given)
      : in_(chosen_extent<In>("nn::conv_at", "in", given.in)),
        out_(chosen_extent<Out>("nn::conv_at", "out", given.out)) {
    if (alone ? in_ != out_ : in_ % groups() != 0 || out_ % groups() != 0)
      throw usage_error("fmsb::nn::conv_at: " + std::to_string(index_t{in_}) + " input and " +
                        std::to_string(index_t{out_}) + " output channels were given; " +
                        (alone ? "a depthwise convolution has as many outputs as inputs."
                               : "both must be multiples of its " + std::to_string(groups()) + " groups."));
  }

  void reset() override {
    std::vector<index_t> sizes{out_, in_ / groups()};
    sizes.insert(sizes.end(), Axes, kernel);
    const double bound = fan_in_bound(in_ / groups() * taps);
    weight = register_parameter("weight", drawn_uniform(sizes, bound));
    if constexpr (has_bias) bias = register_parameter("bias", drawn_uniform({out_}, bound));
  }

  conv_extents extents() const { return {.in = in_, .out = out_}; }
  index_t groups() const {
    if constexpr (alone)
      return in_;
    else
      return Options.groups;
  }

  /// @param x  [batch, in, length] or [batch, in, height, width]; the batch axis may be absent
  /// @return [batch, out, positions...], every stride-th of each axis
  /// @throws usage_error for another number of axes or channels, or a method that cannot take the input
  tensor forward(const tensor& x) const {
    if ((x.dim() != Axes + 1 && x.dim() != Axes + 2) || x.size(-Axes - 1) != in_ || x.numel() == 0)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; it takes [batch, " + std::to_string(index_t{in_}) +
                        (Axes == 1 ? ", length]" : ", height, width]") + ", with or without the batch.");
    if (x.dim() == Axes + 1) return forward(x.unsqueeze(0)).squeeze(0);
    const auto way = method == mixed_method::automatic ? chosen(x) : method;
    if (way == mixed_method::kernel) return by_libtorch(x);
    if (!takes(way, x))
      throw usage_error(
          describe() + ": the method `" + name_of(way) + "` cannot take the input, " + x.toString() +
          " of shape " + detail::shape_text(x) +
          ". `direct` takes depthwise convolutions over one axis, it and `spectrum` float, double "
          "or bfloat16 on the CPU; choose `automatic`.");
    const auto all_taps = weight.flatten(2).permute({2, 0, 1});
    if constexpr (has_tap_kernels)
      if (way == mixed_method::direct)
        return convolve_depthwise<along_one_axis>(x, all_taps, bias, Options.stride);
    return convolve_by_spectrum < Axes,
           alone ? channels_seen::own
                 : channels_seen::all >
                       (x, all_taps, bias, offsets(), {.stride = Options.stride, .groups = groups()});
  }

  /// What `mixed_method::automatic` takes for an input.
  mixed_method chosen(const tensor& x) const {
    if (!detail::kernels_take(x)) return mixed_method::kernel;
    if constexpr (has_tap_kernels) return mixed_method::direct;
    const auto shape = shape_of(x);
    return expected_milliseconds(mixed_method::spectrum, shape) < expected_by_libtorch(shape)
               ? mixed_method::spectrum
               : mixed_method::kernel;
  }

  /// What the cost of the layer on an input depends on.
  mixed_shape shape_of(const tensor& x) const {
    return {.batch = x.dim() == Axes + 1 ? 1 : x.size(0),
            .in = in_,
            .out = out_,
            .groups = Options.groups,
            .positions = {Axes == 1 ? 1 : x.size(-2), x.size(-1)},
            .axes = Axes,
            .taps = taps,
            .reach = receptive_field / 2};
  }

  std::string describe() const override {
    string_outlet text;
    write(text, "conv_at" + std::to_string(Axes) + "d(in=" + std::to_string(index_t{in_}) +
                    ", out=" + std::to_string(index_t{out_}) + ", kernel=" + std::to_string(kernel) +
                    ", dilation=" + std::to_string(dilation));
    if (Options.stride != 1) write(text, ", stride=" + std::to_string(Options.stride));
    if (alone)
      write(text, ", depthwise");
    else if (Options.groups != 1)
      write(text, ", groups=" + std::to_string(Options.groups));
    return text.text + (has_bias ? ")" : ", bias=no)");
  }

 private:
  static constexpr bool has_tap_kernels = Axes == 1 && alone;
  static constexpr auto along_one_axis = [] {
    std::array<int, static_cast<std::size_t>(kernel)> all{};
    for (int i = 0; i < static_cast<int>(kernel); ++i)
      all[static_cast<std::size_t>(i)] = space::tap(Point, i);
    return all;
  }();

  static const tap_offsets<Axes>& offsets() {
    static const auto all = [] {
      tap_offsets<Axes> found;
      for (const int down : along_one_axis)
        if constexpr (Axes == 1)
          found.push_back({down});
        else
          for (const int along : along_one_axis) found.push_back({down, along});
      return found;
    }();
    return all;
  }

  static bool takes(mixed_method way, const tensor& x) {
    if (way == mixed_method::direct) return has_tap_kernels && detail::kernels_take(x);
    return way == mixed_method::spectrum && detail::kernels_take(x);
  }

  /// Milliseconds of a forward and a backward pass of LibTorch's convolution, floats on one core: nanoseconds
  /// for a multiply-add of the forward pass, more where channels are few, fitted to `bench_conv_at`.
  static constexpr double expected_by_libtorch(const mixed_shape& s) {
    const auto number = [](index_t count) { return static_cast<double>(count); };
    const double positions = number(s.batch * s.out * s.positions[0] * s.positions[1]);
    if constexpr (alone) {
      constexpr double kRate = dilation > 1 ? 4 : kernel <= 3 ? 0.45 : 1.4;
      return 0.3 + positions * number(taps) * kRate / 1e6;
    } else {
      constexpr double kCall = Axes == 1 ? 0.05 : 0.3;
      constexpr double kRate = Axes == 1 ? (dilation > 1 ? 0.115 : 0.09) : (dilation > 1 ? 0.085 : 0.075);
      constexpr double kFew = Axes == 2 && dilation > 1 ? 32 : 16;
      const double seen = number(s.in / s.groups);
      return kCall + positions * seen * number(taps) * kRate * (1 + kFew / seen) / 1e6;
    }
  }

  tensor by_libtorch(const tensor& x) const {
    const auto each = [](index_t value) { return std::vector<index_t>(Axes, value); };
    return at::convolution(x, weight, bias, each(Options.stride), each(receptive_field / 2), each(dilation),
                           /*transposed=*/false, each(0), groups());
  }

  [[no_unique_address]] extent<In> in_;
  [[no_unique_address]] extent<Out> out_;
};

template <auto Point, index_t In, index_t Out, conv_at_options Options = {}>
using conv1d_at = conv_at<1, Point, In, Out, Options>;
template <auto Point, index_t In, index_t Out, conv_at_options Options = {}>
using conv2d_at = conv_at<2, Point, In, Out, Options>;

}  // namespace fmsb::nn
