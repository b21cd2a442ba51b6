#pragma once
#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/data/series.hpp"               // data::series
#include "fmsb/models/ar/horizon_errors.hpp"  // for_each_horizon_error
#include "fmsb/models/ar/horizon_walk.hpp"    // horizon_walk
#include "fmsb/models/ar/model.hpp"           // impulse_response

#include <algorithm>    // std::nth_element
#include <cmath>        // std::erfc, std::ceil
#include <cstddef>      // std::size_t
#include <limits>       // infinity
#include <numbers>      // std::numbers::sqrt2
#include <span>         // std::span
#include <string>       // std::to_string
#include <type_traits>  // std::is_same_v
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::ar {

/// How far below and above its forecast a value is expected.
struct interval_bounds {
  double lower = 0;
  double upper = 0;
};

/// Prediction intervals as offsets from the forecast, for every nominal level, channel and step. An offset is
/// infinite where the calibration windows are too few for the level.
struct interval_offsets {
  std::vector<double> levels;  ///< nominal coverage, as .8, .95
  std::size_t channels = 0;
  std::size_t horizon = 0;
  std::vector<double> lower, upper;  ///< [levels, channels, horizon]

  /// @param level  index into `levels`  @param step  1 .. horizon
  interval_bounds at(std::size_t level, std::size_t channel, std::size_t step) const {
    const std::size_t i = (level * channels + channel) * horizon + step - 1;
    return {lower.at(i), upper.at(i)};
  }
};

/// What the errors of the calibration windows are ranked by.
enum class interval_score {
  signed_error,   ///< both tails apart: intervals follow the skewness of the errors
  absolute_error  ///< one symmetric half width
};

/// Whether each channel has intervals of its own, or all share one set.
enum class interval_scope { per_channel, pooled };

struct interval_options {
  std::vector<double> levels = {0.8, 0.95};
  interval_score score = interval_score::signed_error;
  interval_scope scope = interval_scope::per_channel;
};

namespace detail {

inline void require_levels(std::span<const double> levels) {
  for (double l : levels)
    if (!(l > 0 && l < 1))
      throw usage_error("fmsb::ar: an interval's level lies between 0 and 1, as .9; got " +
                        std::to_string(l) + ".");
}

/// The rank-th smallest value (from 1), infinite beyond the last. Reorders `values`.
inline double ranked(std::span<double> values, double rank) {
  if (!(rank <= static_cast<double>(values.size()))) return std::numeric_limits<double>::infinity();
  const auto at = values.begin() + (static_cast<std::ptrdiff_t>(rank) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Finite-sample quantiles of calibration errors. NaN, the mark of a gap, must be gone.
inline interval_bounds conformal_bounds(std::span<double> errors, double level, interval_score score) {
  const double n = static_cast<double>(errors.size());
  const auto rank = [n](double share) { return std::ceil((n + 1) * share * (1 - 1e-14)); };
  if (score == interval_score::absolute_error) {
    for (double& e : errors) e = std::abs(e);
    const double half = ranked(errors, rank(level));
    return {-half, half};
  }
  const double upper_rank = rank((1 + level) / 2);
  if (upper_rank > n)
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  return {ranked(errors, n + 1 - upper_rank), ranked(errors, upper_rank)};
}

}  // namespace detail

/// Split-conformal intervals: for each step the quantiles of that step's errors over all windows of a
/// calibration stretch, at the finite-sample ranks ceil((n + 1) (1 - alpha / 2)) and its mirror, or
/// ceil((n + 1) (1 - alpha)) of absolute errors, where alpha = 1 - level and n is the number of windows
/// (times channels when pooled).
///
/// With exchangeable errors the coverage would be at least the level (Vovk, Gammerman and Shafer, Algorithmic
/// Learning in a Random World, 2005; Lei et al., JASA 113, 2018). Windows that overlap and series that drift
/// are not exchangeable: measure the coverage on a later stretch, and read n as an optimistic count.
///
/// One pass of forecast updating and one selection a step and channel; no forecast is formed.
///
/// @param x  levels that the model was not fitted to; gaps are left out
/// @tparam Forecaster  `model`, or anything with a `for_each_horizon_error`; pooled intervals need a `model`
/// @throws usage_error as for_each_horizon_error, or for a level outside (0, 1)
template <class Forecaster>
interval_offsets calibrate_intervals(const Forecaster& m, const data::series& x, std::size_t context,
                                     std::size_t horizon, const interval_options& options = {}) {
  detail::require_levels(options.levels);
  interval_offsets out{
      .levels = options.levels, .channels = x.channels(), .horizon = horizon, .lower = {}, .upper = {}};
  out.lower.resize(out.levels.size() * out.channels * horizon);
  out.upper.resize(out.lower.size());
  std::vector<double> sample;
  const auto store = [&](std::size_t first_channel, std::size_t last_channel, std::size_t step) {
    std::erase_if(sample, [](double e) { return std::isnan(e); });
    for (std::size_t l = 0; l < out.levels.size(); ++l) {
      const auto bounds = detail::conformal_bounds(sample, out.levels[l], options.score);
      for (std::size_t c = first_channel; c < last_channel; ++c) {
        const std::size_t i = (l * out.channels + c) * horizon + step - 1;
        out.lower[i] = bounds.lower;
        out.upper[i] = bounds.upper;
      }
    }
  };
  if (options.scope == interval_scope::per_channel) {
    for_each_horizon_error(m, x, context, horizon,
                           [&](std::size_t c, std::size_t step, std::span<const double> errors) {
                             sample.assign(errors.begin(), errors.end());
                             store(c, c + 1, step);
                           });
    return out;
  }
  if constexpr (std::is_same_v<Forecaster, model>) {
    auto walk = horizon_walk::of(m, x, context, horizon);
    while (walk.advance()) {
      sample.clear();
      for (std::size_t c = 0; c < walk.channels(); ++c)
        sample.insert(sample.end(), walk.errors(c).begin(), walk.errors(c).end());
      store(0, walk.channels(), walk.step());
    }
    return out;
  } else {
    throw usage_error(
        "fmsb::ar::calibrate_intervals: intervals pooled over channels need one model for all channels; a "
        "forecaster of one map a channel has intervals per channel.");
  }
}

/// The half width of the central normal interval of a level, in standard deviations: z with
/// P(|Z| <= z) = level.
inline double normal_half_width(double level) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::numbers::sqrt2) > 1 - level ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Intervals of normal theory, -+ z sigma sqrt(sum_{k<h} psi_k^2) (Box, Jenkins et al., Time Series
/// Analysis, 5.1): free of cost and of data, but they trust the model. On differenced series they are often
/// far too wide for long horizons; `calibrate_intervals` is the default for good reason.
///
/// @param variance  of the one-step errors, as rss / samples of an order_path
inline interval_offsets normal_intervals(const model& m, double variance, std::size_t channels,
                                         std::size_t horizon, const std::vector<double>& levels) {
  detail::require_levels(levels);
  interval_offsets out{.levels = levels, .channels = channels, .horizon = horizon, .lower = {}, .upper = {}};
  const auto psi = impulse_response(m, horizon);
  for (double level : levels) {
    const double z = normal_half_width(level);
    for (std::size_t c = 0; c < channels; ++c) {
      double energy = 0;
      for (std::size_t h = 0; h < horizon; ++h) {
        energy += psi[h] * psi[h];
        out.upper.push_back(z * std::sqrt(variance * energy));
      }
    }
  }
  for (double u : out.upper) out.lower.push_back(-u);
  return out;
}

/// Calls `add(level, step, errors, bounds)` for every level index, step and channel with the errors of all
/// windows of `x`: a target lies in its interval when bounds.lower <= error <= bounds.upper. An
/// interval_accumulator of evaluate/intervals.hpp takes these to coverage and width.
/// @throws usage_error where the offsets have other channels
template <class Forecaster, class Add>
void for_each_interval(const interval_offsets& offsets, const Forecaster& m, const data::series& x,
                       std::size_t context, Add&& add) {
  if (x.channels() != offsets.channels)
    throw usage_error("fmsb::ar::for_each_interval: intervals of " + std::to_string(offsets.channels) +
                      " channels were given for a series of " + std::to_string(x.channels()) + ".");
  for_each_horizon_error(m, x, context, offsets.horizon,
                         [&](std::size_t c, std::size_t step, std::span<const double> errors) {
                           for (std::size_t l = 0; l < offsets.levels.size(); ++l)
                             add(l, step, errors, offsets.at(l, c, step));
                         });
}

}  // namespace fmsb::ar
