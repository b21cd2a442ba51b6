#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // is_mixture, field_of

#include <ATen/ops/constant_pad_nd.h>  // at::constant_pad_nd

namespace fmsb::models {

/// Which positions an output of a convolution over one axis sees.
enum class alignment {
  centred,  ///< as many before it as behind it
  causal    ///< itself and those before it: how the program released with DASH retrains the networks that it
            ///< searched centred
};

namespace detail {

/// A convolution as it is aligned. Mixtures are centred, as the released search is.
template <alignment A, class Conv>
tensor aligned(const Conv& conv, const tensor& x) {
  if constexpr (A == alignment::centred || is_mixture<Conv>) {
    return conv.forward(x);
  } else {
    const index_t length = x.size(-1);
    return conv.forward(at::constant_pad_nd(x, {field_of(conv) / 2, 0})).slice(-1, 0, length);
  }
}

}  // namespace detail
}  // namespace fmsb::models
