#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/layer.hpp"          // shape_text
#include "fmsb/nn/tensor.hpp"         // tensor

#include <ATen/ops/lerp.h>    // at::lerp
#include <ATen/ops/tensor.h>  // at::tensor

#include <algorithm>  // std::lower_bound, std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <string>     // std::string, std::to_string
#include <vector>     // std::vector

namespace fmsb::chronos {

/// A forecast's quantiles at other levels: straight between the two levels around, and the outermost quantile
/// beyond these. Where all levels are the forecast's own, they are picked as they are.
///
/// @param forecast  [series, from, horizon], as forecast_quantiles returns it
/// @param from      its levels, rising: `Model::quantiles`
/// @param levels    each from 0 to 1
/// @return [series, levels, horizon]
/// @throws usage_error for a forecast that does not belong to its levels, or a level outside of [0, 1]
inline tensor quantiles_at(const tensor& forecast, std::span<const double> from,
                           std::span<const double> levels) {
  if (!forecast.defined() || forecast.dim() != 3 || forecast.size(1) != static_cast<index_t>(from.size()) ||
      from.empty())
    throw usage_error("fmsb::chronos::quantiles_at was given a forecast of shape " +
                      (forecast.defined() ? nn::detail::shape_text(forecast) : std::string("nothing")) +
                      " and its " + std::to_string(from.size()) +
                      " levels; a forecast is [series, levels, horizon].");
  std::vector<std::int64_t> below, above;
  std::vector<double> part;
  for (const double level : levels) {
    if (!(level >= 0 && level <= 1))
      throw usage_error("fmsb::chronos::quantiles_at: the level " + number_text(level) +
                        " does not lie between 0 and 1; the middle is .5.");
    const auto next =
        static_cast<std::size_t>(std::lower_bound(from.begin(), from.end(), level) - from.begin());
    const bool own = next < from.size() && from[next] == level;
    const std::size_t high = std::min(next, from.size() - 1), low = own || next == 0 ? high : next - 1;
    below.push_back(static_cast<std::int64_t>(low));
    above.push_back(static_cast<std::int64_t>(high));
    part.push_back(low == high ? 0 : (level - from[low]) / (from[high] - from[low]));
  }
  const auto rows = [&](const std::vector<std::int64_t>& which) {
    return forecast.index_select(1, at::tensor(which, forecast.options().dtype(at::kLong)));
  };
  const auto lower = rows(below);
  if (below == above) return lower;
  return at::lerp(lower, rows(above), at::tensor(part, forecast.options()).view({1, -1, 1}));
}

}  // namespace fmsb::chronos
