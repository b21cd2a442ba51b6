#pragma once
#include "fmsb/core/extent.hpp"    // index_t
#include "fmsb/nn/batch_norm.hpp"  // batch_norm
#include "fmsb/nn/composite.hpp"   // child, composite
#include "fmsb/nn/conv.hpp"        // conv

#include <string>       // std::string
#include <type_traits>  // std::conditional_t

namespace fmsb::models {

/// Which blocks of a residual network have a way around them.
enum class shortcuts {
  everywhere,            ///< as He et al. ("Deep Residual Learning", CVPR 2016) do
  where_channels_change  ///< the others are no residual blocks at all: the 1-D network released with DASH
};

/// The way around a block: the input as it is where the block keeps its shape, else by a convolution of one
/// tap and, where asked for, a batch norm.
template <int Axes, index_t In, index_t Out, index_t Stride, bool Normed, double Momentum = 0.1>
class shortcut
    : public std::conditional_t<
          In == Out && Stride == 1, nn::composite<>,
          std::conditional_t<
              Normed,
              nn::composite<
                  nn::child<"conv", nn::conv<Axes, In, Out, 1, nn::conv_options{.stride = Stride}>>,
                  nn::child<"norm", nn::batch_norm<Axes, Out, nn::batch_norm_options{.momentum = Momentum}>>>,
              nn::composite<
                  nn::child<"conv", nn::conv<Axes, In, Out, 1, nn::conv_options{.stride = Stride}>>>>> {
 public:
  static constexpr bool keeps_shape = In == Out && Stride == 1;

  /// @param x  [batch, in, positions...]
  /// @return [batch, out, every stride-th position...]
  tensor forward(const tensor& x) const {
    if constexpr (keeps_shape)
      return x;
    else if constexpr (Normed)
      return this->template at<"norm">().forward(this->template at<"conv">().forward(x));
    else
      return this->template at<"conv">().forward(x);
  }

 protected:
  std::string title() const override { return keeps_shape ? "identity" : "shortcut"; }
};

}  // namespace fmsb::models
