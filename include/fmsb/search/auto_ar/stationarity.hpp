#pragma once
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/difference.hpp"  // difference

#include <algorithm>  // std::min
#include <cmath>      // std::pow
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <vector>     // std::vector

namespace fmsb::ar {

/// What a stationarity test allows as the deterministic part.
enum class trend {
  level,  ///< a constant; 5 % critical value 0.463
  linear  ///< a constant and a slope; 5 % critical value 0.146
};

/// The 5 % critical value of the KPSS statistic (Kwiatkowski et al., J. Econometrics 54, 1992, table 1).
constexpr double kpss_critical_value(trend t) { return t == trend::level ? 0.463 : 0.146; }

/// The KPSS statistic of one channel: large values speak against stationarity around the trend.
///
/// n^-2 sum (partial sums of residuals)^2 over a Bartlett-weighted long-run variance whose lag is chosen from
/// the data (Hobijn, Franses and Ooms, Statistica Neerlandica 58, 2004). A channel without residual
/// variance gives 0.
inline double kpss_statistic(std::span<const double> x, trend t) {
  const std::size_t n = x.size();
  if (n < 3) return 0;
  const auto rows = static_cast<double>(n);
  double mean = 0;
  for (double v : x) mean += v;
  mean /= rows;
  std::vector<double> e(n);
  double slope = 0;
  const double middle = (rows - 1) / 2;
  if (t == trend::linear) {
    for (std::size_t i = 0; i < n; ++i) slope += (static_cast<double>(i) - middle) * (x[i] - mean);
    slope /= rows * (rows * rows - 1) / 12;
  }
  for (std::size_t i = 0; i < n; ++i) e[i] = x[i] - mean - slope * (static_cast<double>(i) - middle);

  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t i = lag; i < n; ++i) sum += e[i] * e[i - lag];
    return sum / rows;
  };
  const double variance = covariance(0);
  if (!(variance > 0)) return 0;

  double s0 = variance, s1 = 0;
  const auto pilot = static_cast<std::size_t>(std::pow(rows, 2.0 / 9));
  for (std::size_t i = 1; i <= pilot; ++i) {
    const double both = 2 * covariance(i);
    s0 += both;
    s1 += static_cast<double>(i) * both;
  }
  const double ratio = s1 / s0;
  const double width = 1.1447 * std::cbrt(ratio * ratio) * std::cbrt(rows);
  const auto lags = std::min(static_cast<std::size_t>(width), n - 1);

  double long_run = variance;
  for (std::size_t i = 1; i <= lags; ++i)
    long_run += 2 * (1 - static_cast<double>(i) / static_cast<double>(lags + 1)) * covariance(i);
  double partial = 0, sum = 0;
  for (double v : e) partial += v, sum += partial * partial;
  return sum / (rows * rows) / long_run;
}

/// True when every channel passes the KPSS test at 5 %.
inline bool is_stationary(const data::series& x, trend t) {
  for (std::size_t c = 0; c < x.channels(); ++c)
    if (!(kpss_statistic(x.channel(c), t) < kpss_critical_value(t))) return false;
  return true;
}

/// The smallest number of differences after which every channel is stationary around a linear trend, and at
/// most `cap`: some series (sentinel spikes, bounded readings) fail after any number.
inline int differences_by_kpss(const data::series& x, int cap) {
  for (int d = 0; d < cap; ++d)
    if (is_stationary(difference(x, d), trend::linear)) return d;
  return cap;
}

}  // namespace fmsb::ar
