#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor

#include <ATen/ops/tensor.h>  // at::tensor

#include <span>  // std::span

namespace fmsb::chronos {

/// Twice the pinball loss of every predicted quantile, 2 |(y - q) (1[y <= q] - level)|; 0 where y is a gap
/// (Koenker and Bassett, "Regression Quantiles", Econometrica 46, 1978; the factor is the Python package's).
///
/// @param predicted  [series, levels, steps]
/// @param target     [series, steps], NaN where there is a gap
/// @return [series, levels, steps]
inline tensor pinball(const tensor& predicted, const tensor& target, std::span<const double> levels) {
  const auto gaps = target.isnan().unsqueeze(1);
  const auto y = target.unsqueeze(1).masked_fill(gaps, 0);
  const auto level =
      at::tensor(at::ArrayRef<double>(levels.data(), levels.size()), predicted.options().requires_grad(false))
          .view({1, -1, 1});
  const auto side = (y <= predicted).to(predicted.scalar_type()) - level;
  return (2 * ((y - predicted) * side).abs()).masked_fill(gaps, 0);
}

}  // namespace fmsb::chronos
