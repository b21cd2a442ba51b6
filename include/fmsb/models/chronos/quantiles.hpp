#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/tensor.hpp"         // tensor

#include <ATen/ops/quantile.h>  // at::quantile

#include <string>  // std::to_string
#include <vector>  // std::vector

namespace fmsb::chronos {

/// Quantiles over the sample paths of a forecast, straight between the two samples around a level, as NumPy
/// and LibTorch define them.
///
/// @param samples  [series, samples, horizon], float or double
/// @param levels   each from 0 to 1
/// @return [series, horizon, levels], of the samples' type
/// @throws usage_error for another shape, no samples, or a level outside of [0, 1]
inline tensor quantiles(const tensor& samples, const std::vector<double>& levels) {
  if (!samples.defined() || samples.dim() != 3 || samples.size(1) == 0)
    throw usage_error(
        "fmsb::chronos::quantiles: samples are a tensor [series, samples, horizon] of one sample at "
        "least, as forecast returns it.");
  for (const double level : levels)
    if (!(level >= 0 && level <= 1))
      throw usage_error("fmsb::chronos::quantiles: the level " + number_text(level) +
                        " does not lie between 0 and 1; the middle of the samples is .5.");
  const auto at_levels =
      at::from_blob(const_cast<double*>(levels.data()), {static_cast<std::int64_t>(levels.size())},
                    at::TensorOptions().dtype(at::kDouble))
          .to(samples.scalar_type());
  return at::quantile(samples, at_levels, 1).permute({1, 2, 0}).contiguous();
}

/// The mean over the sample paths. @return [series, horizon] @throws usage_error as quantiles
inline tensor mean(const tensor& samples) {
  if (!samples.defined() || samples.dim() != 3 || samples.size(1) == 0)
    throw usage_error(
        "fmsb::chronos::mean: samples are a tensor [series, samples, horizon] of one sample at least, "
        "as forecast returns it.");
  return samples.mean(1);
}

}  // namespace fmsb::chronos
