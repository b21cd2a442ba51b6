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

namespace detail {

template <int Axes, index_t In, index_t Out, index_t Stride, bool Normed, double Momentum>
struct shortcut_parts {
  static constexpr bool keeps_shape = In == Out && Stride == 1;
  using conv = nn::conv<Axes, In, Out, 1, nn::conv_options{.stride = Stride}>;
  using norm = nn::batch_norm<Axes, Out, nn::batch_norm_options{.momentum = Momentum}>;
  using base = std::conditional_t<
      keeps_shape, nn::composite<>,
      std::conditional_t<Normed, nn::composite<nn::child<"conv", conv>, nn::child<"norm", norm>>,
                         nn::composite<nn::child<"conv", conv>>>>;

  static base make(nn::conv_extents given) {
    if constexpr (keeps_shape)
      return {};
    else if constexpr (Normed)
      return base(conv(given), norm());
    else
      return base(conv(given));
  }
};

}  // namespace detail

/// The way around a block: the input as it is where the block keeps its shape, else by a convolution of one
/// tap and, where asked for, a batch norm. Channels that the type does not fix count as other ones.
template <int Axes, index_t In, index_t Out, index_t Stride, bool Normed, double Momentum = 0.1>
class shortcut : public detail::shortcut_parts<Axes, In, Out, Stride, Normed, Momentum>::base {
  using parts = detail::shortcut_parts<Axes, In, Out, Stride, Normed, Momentum>;

 public:
  static constexpr bool keeps_shape = parts::keeps_shape;

  shortcut() = default;
  explicit shortcut(nn::conv_extents given) : parts::base(parts::make(given)) {}

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
