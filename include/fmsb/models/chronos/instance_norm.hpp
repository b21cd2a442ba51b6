#pragma once
#include "fmsb/core/error.hpp"  // usage_error
#include "fmsb/nn/layer.hpp"    // shape_text
#include "fmsb/nn/tensor.hpp"   // tensor

#include <ATen/ops/arcsinh.h>  // at::arcsinh
#include <ATen/ops/sinh.h>     // at::sinh

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <vector>   // std::vector

namespace fmsb::chronos {

/// What follows the standardisation of a series.
enum class squash : bool {
  no,      ///< Chronos-Bolt
  arcsinh  ///< Chronos-2: far values come nearer
};

/// Brings every series of a batch to mean 0 and deviation 1 by its own statistics, over what is no gap (NaN):
///
///     z = (x - mean) / deviation,    or arcsinh of it
///
/// The deviation is the population's. A series of gaps has mean 0 and deviation 1; a constant one has the
/// deviation 1e-5. Computed in float32, in double where x is double.
///
/// Source: InstanceNorm of the Python package chronos-forecasting.
template <squash S = squash::no>
struct instance_norm {
  tensor mean{};       ///< [series, 1]
  tensor deviation{};  ///< [series, 1], positive

  /// @param x  [series, T], NaN where there is a gap
  /// @throws usage_error for another shape
  static instance_norm fit(const tensor& x) {
    if (x.dim() != 2)
      throw usage_error("fmsb::chronos::instance_norm was fitted to a tensor of shape " +
                        nn::detail::shape_text(x) + "; it takes [series, T].");
    const auto values = wide(x);
    const auto gaps = values.isnan();
    const auto count = gaps.logical_not().sum(1, true);
    const auto mean = values.masked_fill(gaps, 0).sum(1, true) / count.clamp_min(1);
    const auto variance = (values - mean).masked_fill(gaps, 0).square().sum(1, true) / count.clamp_min(1);
    return {mean, variance.sqrt().masked_fill(variance == 0, 1e-5).masked_fill(count == 0, 1)};
  }

  /// @param x  [series, ...]; gaps stay gaps
  /// @return the same shape and number type
  tensor apply(const tensor& x) const {
    const auto z = (wide(x) - along(mean, x)) / along(deviation, x);
    return (S == squash::arcsinh ? at::arcsinh(z) : z).to(x.scalar_type());
  }

  /// The values that `apply` made z of.
  /// @param z  [series, ...]
  /// @return the same shape, in the number type of the statistics
  tensor invert(const tensor& z) const {
    const auto flat = wide(z);
    return (S == squash::arcsinh ? at::sinh(flat) : flat) * along(deviation, z) + along(mean, z);
  }

 private:
  static tensor wide(const tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }
  static tensor along(const tensor& statistic, const tensor& x) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[0] = statistic.size(0);
    return statistic.view(shape);
  }
};

}  // namespace fmsb::chronos
