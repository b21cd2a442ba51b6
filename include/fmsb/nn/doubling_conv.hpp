#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // index_t
#include "fmsb/nn/initialise.hpp"  // drawn_uniform, fan_in_bound
#include "fmsb/nn/layer.hpp"       // layer

#include <ATen/ops/conv_transpose1d.h>  // at::conv_transpose1d
#include <ATen/ops/conv_transpose2d.h>  // at::conv_transpose2d

#include <string>  // std::string, std::to_string
#include <vector>  // std::vector

namespace fmsb::nn {

/// A transposed convolution of two taps and stride 2, which doubles every axis: each position of the input
/// becomes two (four on two axes) of the output, each by a matrix of its own. The way up of a UNet
/// (Ronneberger, Fischer and Brox, MICCAI 2015).
///
/// Registers `weight` [in, out, 2(, 2)] and `bias` [out] as LibTorch's ConvTranspose1d and ConvTranspose2d
/// do, drawn from U(-b, b), b = 1 / sqrt(out 2^Axes).
///
/// @tparam Axes  1 or 2
template <int Axes, index_t In, index_t Out>
class doubling_conv : public layer {
  static_assert(Axes == 1 || Axes == 2, "fmsb::nn::doubling_conv<Axes, ...> works on 1 or 2 axes");

 public:
  static constexpr index_t taps = Axes == 1 ? 2 : 4;
  static constexpr index_t parameter_count = In * Out * taps + Out;
  static constexpr index_t multiply_adds = In * Out * taps;  ///< for one position of the input
  static constexpr index_t receptive_field = 1;

  tensor weight;  ///< [in, out, 2(, 2)]
  tensor bias;    ///< [out]

  void reset() override {
    std::vector<index_t> sizes{In, Out};
    sizes.insert(sizes.end(), Axes, 2);
    const double bound = fan_in_bound(Out * taps);
    weight = register_parameter("weight", drawn_uniform(sizes, bound));
    bias = register_parameter("bias", drawn_uniform({Out}, bound));
  }

  /// @param x  [batch, in, length] or [batch, in, height, width]
  /// @return [batch, out, positions...], twice as many on every axis
  /// @throws usage_error for another number of axes or channels
  tensor forward(const tensor& x) const {
    if (x.dim() != Axes + 2 || x.size(1) != In)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; it takes [batch, " + std::to_string(In) +
                        (Axes == 1 ? ", length]." : ", height, width]."));
    if constexpr (Axes == 1)
      return at::conv_transpose1d(x, weight, bias, 2);
    else
      return at::conv_transpose2d(x, weight, bias, 2);
  }

  std::string describe() const override {
    return "doubling_conv" + std::to_string(Axes) + "d(in=" + std::to_string(In) +
           ", out=" + std::to_string(Out) + ")";
  }
};

}  // namespace fmsb::nn
