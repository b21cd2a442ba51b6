#pragma once
#include "fmsb/nn/torch.hpp"  // tensor, at::zeros

#include <limits>  // std::numeric_limits

namespace fmsb::models::detail {

/// What to add to scores [batch, heads, Tq, Tk], so that nobody looks where the mask is false: [batch, 1, 1,
/// Tk]; undefined if all is seen. The lowest number rather than minus infinity: a series of which nothing is
/// seen has a mean for an answer, as in Hugging Face's, and not NaN.
///
/// @param mask  [batch, Tk], bool or integers; may be undefined: all is seen
/// @param like  of the scores' number type and device
inline tensor hidden_keys(const tensor& mask, const tensor& like) {
  if (!mask.defined()) return {};
  const auto seen = mask.to(like.device(), at::kBool);
  if (seen.all().item<bool>()) return {};
  const double lowest = like.scalar_type() == at::kHalf       ? -65504.0
                        : like.scalar_type() == at::kBFloat16 ? -3.3895313892515355e38
                                                              : double{std::numeric_limits<float>::lowest()};
  return at::zeros(seen.sizes(), like.options().requires_grad(false))
      .masked_fill_(seen.logical_not(), lowest)
      .unsqueeze(1)
      .unsqueeze(1);
}

}  // namespace fmsb::models::detail
