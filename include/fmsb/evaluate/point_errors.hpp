#pragma once
#include "fmsb/core/error.hpp"            // usage_error
#include "fmsb/evaluate/forecasting.hpp"  // error_accumulator, forecast_errors
#include "fmsb/evaluate/numbers.hpp"      // numbers
#include "fmsb/evaluate/step_means.hpp"   // step_means

#include <cmath>    // std::abs
#include <cstddef>  // std::size_t
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::metrics {

/// How point forecasts fared: MSE, MAE and RMSE, and figures without a unit. Shares, not per cent. Where
/// nothing was counted, a figure is NaN.
struct point_scores : forecast_errors {
  double mape = detail::kNoNumber;   ///< mean of |y - f| / |y|, truths of 0 left out
  double smape = detail::kNoNumber;  ///< mean of 2 |y - f| / (|y| + |f|), within [0, 2]
  double mase = detail::kNoNumber;   ///< mean of |y - f| / scale, windows without a scale left out
  std::size_t mape_count = 0;        ///< truths counted in mape: those that are not 0
  std::size_t mase_count = 0;        ///< truths counted in mase: those of windows with a scale
  std::size_t unforecast = 0;        ///< truths for which the forecast was a gap; in no other figure
  std::vector<double> step_mape, step_smape, step_mase;  ///< [horizon]
};

/// The scale of MASE: the mean of |y[t] - y[t - season]| over the rows that a forecast may learn from.
///
/// Pairs with a gap are left out. NaN where no pair is whole, and where every difference is 0: a constant
/// past scales nothing. Source: Hyndman and Koehler, "Another look at measures of forecast accuracy",
/// International Journal of Forecasting 2006, section 3 (season 1), and its seasonal form in common use (M4).
/// @throws usage_error on a season of 0
template <numbers Past>
double mase_scale(const Past& past, std::size_t season = 1) {
  if (season == 0) throw usage_error("mase_scale: a season of 0 rows repeats nothing; it is 1 or more.");
  const auto y = detail::view_of(past);
  double sum = 0, count = 0;
  for (std::size_t t = season; t < y.size(); ++t) {
    const double change = std::abs(static_cast<double>(y[t]) - static_cast<double>(y[t - season]));
    if (std::isnan(change)) continue;
    sum += change;
    count += 1;
  }
  return sum > 0 ? sum / count : detail::kNoNumber;
}

/// Gathers point forecasts window by window, without keeping them.
///
/// MAPE divides by the truth, so a truth of 0 is left out of it and of nothing else. sMAPE is the M4
/// competition's, less its factor of 100: 2 |y - f| / (|y| + |f|); where both are 0 the forecast is exact and
/// counts 0. MASE divides each window's errors by that window's scale (see mase_scale).
/// Sources: Makridakis, Spiliotis and Assimakopoulos, "The M4 Competition", International Journal of
/// Forecasting 2020, section 3.1 (sMAPE and MASE); Hyndman and Koehler 2006.
class point_accumulator {
 public:
  /// @throws usage_error on a horizon of 0
  explicit point_accumulator(std::size_t horizon)
      : errors_(horizon), mape_(horizon), smape_(horizon), mase_(horizon) {}

  std::size_t horizon() const { return errors_.horizon(); }

  /// Adds one window.
  /// @param truth     [horizon]; gaps are left out
  /// @param forecast  [horizon]; a gap where the truth is known is counted as `unforecast`
  /// @param scale     of this window, from mase_scale; without one the window is left out of MASE
  /// @throws usage_error unless both have the length of the horizon
  template <numbers Truth, numbers Forecast>
  void add(const Truth& truth, const Forecast& forecast, double scale = detail::kNoNumber) {
    const auto y = detail::view_of(truth);
    const auto f = detail::view_of(forecast);
    detail::require_size("point_accumulator", "truths", y.size(), horizon());
    detail::require_size("point_accumulator", "forecasts", f.size(), horizon());
    for (std::size_t h = 0; h < y.size(); ++h)
      add_one(h, static_cast<double>(y[h]), static_cast<double>(f[h]), scale);
  }

  /// Takes in the windows of another, as of other patients. @throws usage_error unless the horizons agree
  void merge(const point_accumulator& other) {
    errors_.merge(other.errors_);
    mape_.merge(other.mape_);
    smape_.merge(other.smape_);
    mase_.merge(other.mase_);
    unforecast_ += other.unforecast_;
  }

  point_scores result() const {
    point_scores out;
    static_cast<forecast_errors&>(out) = errors_.result();
    out.mape = mape_.mean();
    out.smape = smape_.mean();
    out.mase = mase_.mean();
    out.mape_count = mape_.count();
    out.mase_count = mase_.count();
    out.unforecast = unforecast_;
    out.step_mape = mape_.by_step();
    out.step_smape = smape_.by_step();
    out.step_mase = mase_.by_step();
    return out;
  }

 private:
  void add_one(std::size_t step, double y, double f, double scale) {
    if (std::isnan(y)) return;
    if (std::isnan(f)) {
      ++unforecast_;
      return;
    }
    const double size = std::abs(y - f), both = std::abs(y) + std::abs(f);
    errors_.add_sums(step, {size * size, size, 1});
    smape_.add(step, both > 0 ? 2 * size / both : 0);
    if (y != 0) mape_.add(step, size / std::abs(y));
    if (scale > 0) mase_.add(step, size / scale);
  }

  error_accumulator errors_;
  step_means mape_, smape_, mase_;
  std::size_t unforecast_ = 0;
};

/// The scores of a single window, whose horizon is its length; see point_accumulator::add.
template <numbers Truth, numbers Forecast>
point_scores point_errors(const Truth& truth, const Forecast& forecast, double scale = detail::kNoNumber) {
  point_accumulator one(std::ranges::size(truth));
  one.add(truth, forecast, scale);
  return one.result();
}

}  // namespace fmsb::metrics
