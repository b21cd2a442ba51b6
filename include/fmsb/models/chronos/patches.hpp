#pragma once
#include "fmsb/core/error.hpp"   // usage_error
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/layer.hpp"     // shape_text
#include "fmsb/nn/tensor.hpp"    // tensor

#include <ATen/ops/constant_pad_nd.h>  // at::constant_pad_nd

#include <limits>  // std::numeric_limits
#include <string>  // std::to_string

namespace fmsb::chronos {

/// Series cut into patches: stretches of neighbouring values that a model reads as one token.
struct patches {
  tensor values{};  ///< [series, count, size]; 0 where there is a gap
  tensor known{};   ///< [series, count, size], of the values' number type: 1, or 0 for a gap
  tensor seen{};    ///< [series, count] bool: whether a patch holds a value that is no gap

  index_t count() const { return values.size(1); }
};

/// Cuts series into patches of `size` values, one every `stride` values. Where the length is no multiple of
/// the size, gaps are put in front, so that the last patch is whole.
///
/// Source: Patch of the Python package chronos-forecasting.
///
/// @param x  [series, T], NaN where there is a gap
/// @throws usage_error for another shape, or no values
inline patches in_patches(const tensor& x, index_t size, index_t stride) {
  if (x.dim() != 2 || x.size(1) < 1 || size < 1 || stride < 1)
    throw usage_error("fmsb::chronos::in_patches was given a tensor of shape " + nn::detail::shape_text(x) +
                      " and patches of " + std::to_string(size) + " values every " + std::to_string(stride) +
                      "; it takes [series, T] and sizes of 1 at least.");
  const index_t missing = (size - x.size(1) % size) % size;
  const auto whole =
      missing == 0 ? x : at::constant_pad_nd(x, {missing, 0}, std::numeric_limits<double>::quiet_NaN());
  const auto cut = whole.unfold(1, size, stride);
  const auto gaps = cut.isnan();
  const auto known = gaps.logical_not();
  return {cut.masked_fill(gaps, 0), known.to(x.scalar_type()), known.any(2)};
}

}  // namespace fmsb::chronos
