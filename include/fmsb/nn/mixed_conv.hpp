#pragma once
#include "fmsb/core/constant_text.hpp"        // string_outlet
#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/core/extent.hpp"               // extent, chosen_extent, dynamic, index_t
#include "fmsb/core/number_text.hpp"          // number_text
#include "fmsb/nn/conv.hpp"                   // conv_extents
#include "fmsb/nn/counts.hpp"                 // product_of, quotient_of, sum_of
#include "fmsb/nn/depthwise_convolution.hpp"  // convolve_depthwise
#include "fmsb/nn/initialise.hpp"             // drawn_normal, filled
#include "fmsb/nn/layer.hpp"                  // layer
#include "fmsb/nn/linear.hpp"                 // bias_term
#include "fmsb/nn/mixed_cost.hpp"             // mixed_method, mixed_shape, cheapest
#include "fmsb/nn/spectral_convolution.hpp"   // convolve_by_spectrum
#include "fmsb/nn/tap_convolution.hpp"        // convolve_by_transform, convolve_by_kernel
#include "fmsb/nn/weight_mixture.hpp"         // mix_weights
#include "fmsb/space/mixed_taps.hpp"          // mixed_taps

#include <ATen/ops/log_softmax.h>  // at::log_softmax
#include <ATen/ops/softmax.h>      // at::softmax

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string

namespace fmsb::nn {

/// Where the coefficients of a mixture come from.
enum class mixing {
  softmax,      ///< softmax(alpha)
  gumbel,       ///< softmax((log_softmax(alpha) + Gumbel noise) / temperature) in training (Jang et al., ICLR
                ///< 2017)
  hard_gumbel,  ///< one choice drawn so, with the gradient of the soft ones (straight-through)
  given         ///< an argument of forward
};

struct mixed_conv_options {
  index_t stride = 1;
  index_t groups = 1;  ///< or `depthwise`
  mixing coefficients = mixing::softmax;
  bias_term bias = bias_term::yes;
  friend bool operator==(const mixed_conv_options&, const mixed_conv_options&) = default;
};

/// The mixture of the convolutions of all points of a space, with zeros around the input:
///
///     y = sum over points p of a_p (w_p * x) + bias,
///
/// where w_p has the kernel size and dilation of p and is centred. It is computed as one convolution, whose
/// kernel is sum a_p w_p (Shen et al., "Efficient Architecture Search for Diverse Tasks" (DASH), NeurIPS
/// 2022, section 3.2). Coefficients a add up to 1, unless they are given.
///
/// Registers `weight` [weights of all points, out, in / groups], in the order of `space::mixed_taps`, drawn
/// from N(0, 0.01); `bias` [out], zeros; and, unless coefficients are given, `alpha` [points], drawn from
/// 0.001 N(0, 1): the values of DASH.
///
/// @tparam Axes     1 or 2; on two axes a point has one kernel size and one dilation for both
/// @tparam Space    points with an axis "kernel" and perhaps one named "dilation"
/// @tparam In, Out  channels, or `dynamic`; multiples of the groups, and equal where it is depthwise
template <int Axes, space::search_space Space, index_t In, index_t Out, mixed_conv_options Options = {}>
class mixed_conv : public layer {
  static_assert(Axes == 1 || Axes == 2, "fmsb::nn::mixed_conv<Axes, ...> convolves over 1 or 2 axes");
  static_assert(Options.stride >= 1 && Options.groups >= 0,
                "fmsb::nn::mixed_conv requires a stride of at least 1, and groups of at least 1 or "
                "fmsb::nn::depthwise");
  static constexpr bool alone = Options.groups == depthwise;
  static_assert(!alone || In == Out,
                "fmsb::nn::mixed_conv: a depthwise convolution has as many outputs as inputs");
  static_assert(alone || ((In == dynamic || In % Options.groups == 0) &&
                          (Out == dynamic || Out % Options.groups == 0)),
                "fmsb::nn::mixed_conv requires input and output channels that are multiples of the groups");

 public:
  using extents_type = conv_extents;
  using space_type = Space;
  using mixed = space::mixed_taps<Space, Axes>;
  static constexpr mixed_conv_options options = Options;
  static constexpr bool has_bias = Options.bias == bias_term::yes;
  static constexpr bool has_alpha = Options.coefficients != mixing::given;
  static constexpr index_t in_features = In, out_features = Out;
  static constexpr int spatial_axes = Axes;
  static constexpr index_t points = static_cast<index_t>(mixed::points);
  static constexpr index_t taps = static_cast<index_t>(mixed::count);  ///< of the one convolution
  static constexpr index_t inputs_seen = alone ? 1 : quotient_of(In, alone ? 1 : Options.groups);
  static constexpr index_t weight_count = product_of(static_cast<index_t>(mixed::weights), Out, inputs_seen);
  static constexpr index_t parameter_count = sum_of(weight_count, has_bias ? Out : 0, has_alpha ? points : 0);
  static constexpr index_t multiply_adds =
      product_of(taps, Out, inputs_seen);                           ///< for one position, tap by tap
  static constexpr index_t receptive_field = 2 * mixed::reach + 1;  ///< along one axis
  static constexpr index_t stride = Options.stride;

  tensor weight;           ///< [weights of all points, out, in / groups]
  tensor bias;             ///< [out]; undefined without a bias
  tensor alpha;            ///< [points]; undefined where coefficients are given
  double temperature = 1;  ///< of the Gumbel-softmax: lower draws nearer to one choice
  mixed_method method = mixed_method::automatic;

  mixed_conv() requires(In != dynamic && Out != dynamic) : mixed_conv(conv_extents{}) {}
  /// @throws usage_error for an extent that neither the type nor the argument fixes, on which they differ, or
  ///         that is no multiple of the groups
  explicit mixed_conv(conv_extents given)
      : in_(chosen_extent<In>("nn::mixed_conv", "in", given.in)),
        out_(chosen_extent<Out>("nn::mixed_conv", "out", given.out)) {
    if (alone ? in_ != out_ : in_ % groups() != 0 || out_ % groups() != 0)
      throw usage_error("fmsb::nn::mixed_conv: " + std::to_string(index_t{in_}) + " input and " +
                        std::to_string(index_t{out_}) + " output channels were given; " +
                        (alone ? "a depthwise convolution has as many outputs as inputs."
                               : "both must be multiples of its " + std::to_string(groups()) + " groups."));
  }

  void reset() override {
    constexpr double kWeights = 0.01, kAlpha = 0.001;
    weight = register_parameter(
        "weight", drawn_normal({static_cast<index_t>(mixed::weights), out_, in_ / groups()}, kWeights));
    if constexpr (has_bias) bias = register_parameter("bias", filled({out_}, 0));
    if constexpr (has_alpha) alpha = register_parameter("alpha", drawn_normal({points}, kAlpha));
  }

  conv_extents extents() const { return {.in = in_, .out = out_}; }
  index_t groups() const {
    if constexpr (alone)
      return in_;
    else
      return Options.groups;
  }

  /// The kernel of a point, [out, in / groups, kernel(, kernel)]: a view.
  /// @throws usage_error if the index is not below the number of points
  tensor weight_of(std::size_t point) const { return part_of(weight, point); }

  /// The same of any tensor laid out as `weight`, such as its gradient.
  static tensor part_of(const tensor& all, std::size_t point) {
    const index_t k = Space::at(point).template get<"kernel">();
    const auto part = all.slice(0, static_cast<index_t>(mixed::first_weight(point)),
                                static_cast<index_t>(mixed::first_weight(point + 1)))
                          .permute({1, 2, 0});
    if constexpr (Axes == 1)
      return part;
    else
      return part.unflatten(2, {k, k});
  }

  /// The coefficients [points] of the next forward pass; drawn anew at every call where they are drawn.
  tensor coefficients() const requires(has_alpha) {
    if constexpr (Options.coefficients == mixing::softmax) {
      return at::softmax(alpha, 0);
    } else {
      const auto logits = at::log_softmax(alpha, 0);
      if (!is_training()) return at::softmax(logits / temperature, 0);
      const auto noise = at::empty_like(alpha).exponential_().log_().neg_();
      const auto soft = at::softmax((logits + noise) / temperature, 0);
      if constexpr (Options.coefficients == mixing::gumbel) return soft;
      const auto chosen = at::zeros_like(soft).scatter_(0, soft.argmax(0, true), 1);
      return chosen - soft.detach() + soft;
    }
  }

  /// @param x  [batch, in, length] or [batch, in, height, width]; the batch axis may be absent
  /// @return [batch, out, positions...], every stride-th of each axis
  /// @throws usage_error for another number of axes or channels, or a method that cannot take the input
  tensor forward(const tensor& x) const requires(has_alpha) { return mixed_by(x, coefficients()); }

  /// @param a  [points], any numbers
  tensor forward(const tensor& x, const tensor& a) const requires(!has_alpha) {
    if (a.dim() != 1 || a.size(0) != points)
      throw usage_error(describe() + " was given coefficients of shape " + detail::shape_text(a) +
                        "; it takes one for each of its " + std::to_string(points) + " points.");
    return mixed_by(x, a);
  }

  /// The mixture by any coefficients [points].
  tensor mixed_by(const tensor& x, const tensor& a) const {
    require_input(x);
    if (x.dim() == Axes + 1) return mixed_by(x.unsqueeze(0), a).squeeze(0);
    return convolved(x, mix_weights<Space, Axes>(a, weight));
  }

  /// What `mixed_method::automatic` takes for an input.
  mixed_method chosen(const tensor& x) const {
    if (!detail::kernels_take(x)) return mixed_method::transform;
    return cheapest(shape_of(x));
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
            .reach = mixed::reach};
  }

  std::string describe() const override {
    string_outlet text;
    write(text, "mixed_conv" + std::to_string(Axes) + "d(in=" + std::to_string(index_t{in_}) +
                    ", out=" + std::to_string(index_t{out_}) + ", space=");
    Space::write_text(text);
    if (Options.stride != 1) write(text, ", stride=" + std::to_string(Options.stride));
    if (alone)
      write(text, ", depthwise");
    else if (Options.groups != 1)
      write(text, ", groups=" + std::to_string(Options.groups));
    constexpr std::array names{"softmax", "gumbel", "hard_gumbel", "given"};
    write(text, std::string(", mixing=") + names[static_cast<std::size_t>(Options.coefficients)]);
    return text.text + (has_bias ? ")" : ", bias=no)");
  }

 private:
  static const tap_offsets<Axes>& offsets() {
    static const tap_offsets<Axes> all(mixed::offsets.begin(), mixed::offsets.end());
    return all;
  }

  tensor convolved(const tensor& x, const tensor& any_taps) const {
    const tap_geometry geometry{.stride = Options.stride, .groups = groups()};
    const auto way = method == mixed_method::automatic ? chosen(x) : method;
    if (!takes(way, x)) refuse(way, x);
    if constexpr (has_tap_kernels)
      if (way == mixed_method::direct)
        return convolve_depthwise<space::taps<Space>>(x, any_taps, bias, Options.stride);
    if (way == mixed_method::spectrum)
      return convolve_by_spectrum<Axes, seen>(x, any_taps, bias, offsets(), geometry);
    if (way == mixed_method::kernel) return convolve_by_kernel<Axes>(x, any_taps, bias, offsets(), geometry);
    return convolve_by_transform<Axes>(x, any_taps, bias, offsets(), geometry);
  }

  static constexpr bool has_tap_kernels = Axes == 1 && alone;
  static constexpr auto seen = alone ? channels_seen::own : channels_seen::all;

  static bool takes(mixed_method way, const tensor& x) {
    if (way == mixed_method::direct) return has_tap_kernels && detail::kernels_take(x);
    return way != mixed_method::spectrum || detail::kernels_take(x);
  }

  [[noreturn]] void refuse(mixed_method way, const tensor& x) const {
    throw usage_error(
        describe() + ": the method " +
        (way == mixed_method::direct
             ? "`direct` takes depthwise convolutions over one axis, of float, double or bfloat16 "
               "on the CPU"
             : "`spectrum` takes float, double or bfloat16 on the CPU") +
        "; the input is " + x.toString() + " of shape " + detail::shape_text(x) + ". Choose `automatic`.");
  }

  void require_input(const tensor& x) const {
    if ((x.dim() != Axes + 1 && x.dim() != Axes + 2) || x.size(-Axes - 1) != in_ || x.numel() == 0)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; it takes [batch, " + std::to_string(index_t{in_}) +
                        (Axes == 1 ? ", length]" : ", height, width]") + ", with or without the batch.");
  }

  [[no_unique_address]] extent<In> in_;
  [[no_unique_address]] extent<Out> out_;
};

template <space::search_space Space, index_t In, index_t Out, mixed_conv_options Options = {}>
using mixed_conv1d = mixed_conv<1, Space, In, Out, Options>;
template <space::search_space Space, index_t In, index_t Out, mixed_conv_options Options = {}>
using mixed_conv2d = mixed_conv<2, Space, In, Out, Options>;

}  // namespace fmsb::nn
