#pragma once
#include "fmsb/core/error.hpp"   // usage_error
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/layer.hpp"     // shape_text
#include "fmsb/nn/tensor.hpp"    // tensor

#include <ATen/ops/cumsum.h>        // at::cumsum
#include <ATen/ops/full_like.h>     // at::full_like
#include <ATen/ops/gather.h>        // at::gather
#include <ATen/ops/searchsorted.h>  // at::searchsorted
#include <ATen/ops/sort.h>          // at::sort
#include <ATen/ops/tensor.h>        // at::tensor

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <tuple>    // std::tuple
#include <vector>   // std::vector

namespace fmsb::chronos {

/// What part of a distribution each of its quantiles stands for: half the way to either neighbour's level,
/// the outermost up to 0 and 1; they sum to 1.
/// @param levels  rising between 0 and 1
inline std::vector<double> probability_masses(std::span<const double> levels) {
  std::vector<double> masses;
  double sum = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double before = i == 0 ? 0 : levels[i - 1], after = i + 1 == levels.size() ? 1 : levels[i + 1];
    masses.push_back((after - before) / 2);
    sum += masses.back();
  }
  for (double& mass : masses) mass /= sum;
  return masses;
}

/// Quantiles of values that count unequally: the values are put in order, each at the level up to which
/// weights have been summed, its own included; between two of them the quantile is straight, before the first
/// and behind the last it is theirs.
///
/// Source: weighted_quantile and interpolate_quantiles of the Python package chronos-forecasting.
///
/// @param values   [series, n, steps]
/// @param weights  n of them, positive
/// @param levels   from 0 to 1
/// @return [series, levels, steps]
/// @throws usage_error where the values are not as many as the weights
inline tensor weighted_quantiles(const tensor& values, std::span<const double> weights,
                                 std::span<const double> levels) {
  if (values.dim() != 3 || values.size(1) != static_cast<index_t>(weights.size()) || weights.empty())
    throw usage_error("fmsb::chronos::weighted_quantiles was given values of shape " +
                      nn::detail::shape_text(values) + " and " + std::to_string(weights.size()) +
                      " weights; it takes [series, n, steps] and n weights, at least one.");
  const auto as_tensor = [&](std::span<const double> numbers) {
    return at::tensor(at::ArrayRef<double>(numbers.data(), numbers.size()),
                      values.options().requires_grad(false));
  };
  const auto [sorted, order] = at::sort(values.transpose(1, 2), -1);  // [series, steps, n]
  const auto share = as_tensor(weights) / as_tensor(weights).sum();
  const auto summed = at::cumsum(at::gather(share.expand_as(sorted), -1, order), -1).clamp_max(1);

  // The first value stands at level 0, too, and the last one at level 1.
  const auto edge = [&](index_t i, double level) {
    return std::tuple(sorted.narrow(-1, i, 1), at::full_like(sorted.narrow(-1, i, 1), level));
  };
  const auto [first, zero] = edge(0, 0);
  const auto [last, one] = edge(sorted.size(-1) - 1, 1);
  const auto quantile = at::cat({first, sorted, last}, -1), level = at::cat({zero, summed, one}, -1);

  const auto wanted = as_tensor(levels).expand({sorted.size(0), sorted.size(1), -1}).contiguous();
  const auto above =
      at::searchsorted(level, wanted, /*out_int32=*/false, /*right=*/true).clamp_max(level.size(-1) - 1);
  const auto below = above - 1;
  const auto at_below = at::gather(level, -1, below), from = at::gather(quantile, -1, below);
  const auto width = at::gather(level, -1, above) - at_below;
  const auto part = ((wanted - at_below) / width).masked_fill(width == 0, 0);
  return (from + part * (at::gather(quantile, -1, above) - from)).transpose(1, 2);
}

}  // namespace fmsb::chronos
