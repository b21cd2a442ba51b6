#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text

#include <algorithm>  // std::nth_element
#include <cmath>      // std::sqrt, std::abs
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::metrics {

/// Errors of many forecasts (target - forecast), over all steps and for each step of the horizon.
/// Where nothing was counted, the figures are NaN.
struct forecast_errors {
  double mse = 0;                          ///< mean squared error over all steps, every error of equal weight
  double mae = 0;                          ///< mean absolute error
  double rmse = 0;                         ///< square root of mse
  std::size_t count = 0;                   ///< errors counted; those with a gap in target or forecast are not
  std::vector<double> step_mse, step_mae;  ///< [horizon]; the first entry is the next row
  std::vector<double> levels;              ///< of the quantiles below; empty where none were asked for
  std::vector<std::vector<double>> quantiles;  ///< [horizon][levels], of the signed errors

  std::size_t horizon() const { return step_mse.size(); }
};

/// Quantiles with linear interpolation between order statistics (Hyndman and Fan's type 7, NumPy's default).
/// Reorders `values`; NaN must not be among them. Where there are no values, every quantile is NaN.
/// @throws usage_error unless every level lies within [0, 1]
inline std::vector<double> quantiles_of(std::span<double> values, std::span<const double> levels) {
  std::vector<double> out;
  for (const double level : levels) {
    if (!(level >= 0 && level <= 1))
      throw usage_error("quantiles_of: level " + number_text(level) + " does not lie within [0, 1].");
    if (values.empty()) {
      out.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const double place = level * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(values.begin(), at, values.end());
    const double share = place - static_cast<double>(below);
    const double next = share > 0 ? *std::min_element(at + 1, values.end()) : *at;
    out.push_back(*at + share * (next - *at));
  }
  return out;
}

namespace detail {

/// Sums over errors, in lanes: the compiler may keep them in vector registers, and their order is fixed.
struct error_sums {
  double squares = 0, sizes = 0, count = 0;

  error_sums& operator+=(const error_sums& other) {
    squares += other.squares;
    sizes += other.sizes;
    count += other.count;
    return *this;
  }
};

/// @param error  error(i) for i < count; NaN is left out
template <class Error>
error_sums sum_errors(std::size_t count, Error error) {
  constexpr std::size_t kLanes = 8;
  double squares[kLanes] = {}, sizes[kLanes] = {}, known[kLanes] = {};
  const auto add = [&](std::size_t lane, double e) {
    const bool counts = e == e;
    const double kept = counts ? e : 0;
    squares[lane] += kept * kept;
    sizes[lane] += std::abs(kept);
    known[lane] += counts ? 1 : 0;
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, error(i + lane));
  for (std::size_t lane = 0; i < count; ++i, ++lane) add(lane, error(i));
  error_sums out;
  for (std::size_t lane = 0; lane < kLanes; ++lane) out += {squares[lane], sizes[lane], known[lane]};
  return out;
}

}  // namespace detail

/// Gathers forecast errors in any order and by blocks, without keeping them.
class error_accumulator {
 public:
  /// @throws usage_error on a horizon of 0
  explicit error_accumulator(std::size_t horizon) : sums_(horizon), quantiles_(horizon) {
    if (horizon == 0)
      throw usage_error("error_accumulator: a horizon of 0 steps has no errors; it is 1 or more.");
  }

  std::size_t horizon() const { return sums_.size(); }

  /// Adds errors (target - forecast) made at one step, `step` 0 being the next row. NaN is left out.
  /// @throws usage_error on a step beyond the horizon
  void add(std::size_t step, std::span<const double> errors) {
    add_sums(step, detail::sum_errors(errors.size(), [&](std::size_t i) { return errors[i]; }));
  }

  /// Adds all errors of one step and keeps their quantiles at the given levels.
  /// @throws usage_error on a step beyond the horizon, and where steps are given different levels
  void add_with_quantiles(std::size_t step, std::span<const double> errors, std::span<const double> levels) {
    add(step, errors);
    if (levels_.empty()) levels_.assign(levels.begin(), levels.end());
    if (!std::equal(levels.begin(), levels.end(), levels_.begin(), levels_.end()))
      throw usage_error("error_accumulator: every step must be given the same quantile levels.");
    scratch_.clear();
    for (const double e : errors)
      if (!std::isnan(e)) scratch_.push_back(e);
    quantiles_[step] = quantiles_of(scratch_, levels_);
  }

  /// For loops that fuse the sums with the forecast itself.
  void add_sums(std::size_t step, const detail::error_sums& sums) {
    if (step >= sums_.size())
      throw usage_error("error_accumulator: step " + std::to_string(step) + " lies beyond the horizon of " +
                        std::to_string(sums_.size()) + " steps, which are counted from 0.");
    sums_[step] += sums;
  }

  /// Takes in the errors of another, as of a shard. Quantiles cannot be merged and are dropped.
  /// @throws usage_error unless the horizons agree
  void merge(const error_accumulator& other) {
    if (other.horizon() != horizon())
      throw usage_error("error_accumulator: horizons of " + std::to_string(horizon()) + " and " +
                        std::to_string(other.horizon()) + " steps cannot be merged.");
    for (std::size_t step = 0; step < sums_.size(); ++step) sums_[step] += other.sums_[step];
    levels_.clear();
  }

  forecast_errors result() const {
    forecast_errors out;
    detail::error_sums all;
    for (const auto& step : sums_) {
      all += step;
      out.step_mse.push_back(step.squares / step.count);
      out.step_mae.push_back(step.sizes / step.count);
    }
    out.mse = all.squares / all.count;
    out.mae = all.sizes / all.count;
    out.rmse = std::sqrt(out.mse);
    out.count = static_cast<std::size_t>(all.count);
    if (!levels_.empty()) {
      out.levels = levels_;
      out.quantiles = quantiles_;
    }
    return out;
  }

 private:
  std::vector<detail::error_sums> sums_;
  std::vector<double> levels_;
  std::vector<std::vector<double>> quantiles_;
  std::vector<double> scratch_;
};

}  // namespace fmsb::metrics
