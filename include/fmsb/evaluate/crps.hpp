#pragma once
#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/evaluate/numbers.hpp"     // numbers
#include "fmsb/evaluate/step_means.hpp"  // step_means

#include <algorithm>  // std::sort
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::metrics {

/// How the spread between samples is estimated in the continuous ranked probability score.
enum class crps_estimator {
  /// Of the samples' own distribution: every pair of n^2 counts, a sample with itself included. Exact for
  /// the ensemble as it stands; favours many samples over few.
  plain,
  /// Without a sample's pair with itself: n (n - 1) pairs. Its expectation does not depend on n, so forecasts
  /// with unlike numbers of samples can be compared. May be negative for a single truth.
  fair,
};

namespace detail {

/// @param apart  samples less the truth; sorted afterwards
inline double crps_of(std::vector<double>& apart, crps_estimator estimator) {
  std::sort(apart.begin(), apart.end());
  const auto n = static_cast<double>(apart.size());
  double sizes = 0, pairs = 0, rank = 1 - n;
  for (const double z : apart) {
    sizes += std::abs(z);
    pairs += rank * z;  // sum over i < j of z[j] - z[i]: each z has as many below as above, less 2 i + 1 - n
    rank += 2;
  }
  return sizes / n - pairs / (estimator == crps_estimator::fair ? n * (n - 1) : n * n);
}

inline void require_samples(const char* where, std::size_t count, crps_estimator estimator) {
  if (count == 0 || (count == 1 && estimator == crps_estimator::fair))
    throw usage_error(std::string(where) + ": " + std::to_string(count) +
                      (count == 1 ? " sample has no pairs; the fair estimator needs two or more."
                                  : " samples say nothing; give one at least."));
}

}  // namespace detail

/// The continuous ranked probability score of samples from a forecast, exactly, in O(n log n):
///
///     mean |x[i] - y|  -  sum over all i, j of |x[i] - x[j]| / (2 n^2)       (plain; fair: 2 n (n - 1))
///
/// In the unit of the truth; lower is better; with one sample the absolute error (plain). The pairs are
/// summed by ranks after sorting: sum over i < j of x[j] - x[i] = sum over i of (2 i + 1 - n) x[i], i from 0.
///
/// Sources: Gneiting and Raftery, JASA 2007, equation (21); Ferro, "Fair scores for ensemble forecasts",
/// Quarterly Journal of the Royal Meteorological Society 2014 (fair); Zamo and Naveau, Mathematical
/// Geosciences 2018 (both by ranks).
/// @returns NaN where the truth or any sample is a gap
/// @throws usage_error without samples, and for the fair estimator with one
template <numbers Samples>
double crps(const Samples& samples, double truth, crps_estimator estimator = crps_estimator::plain) {
  const auto x = detail::view_of(samples);
  detail::require_samples("crps", x.size(), estimator);
  std::vector<double> apart;
  apart.reserve(x.size());
  for (const auto one : x) {
    apart.push_back(static_cast<double>(one) - truth);
    if (std::isnan(apart.back())) return detail::kNoNumber;
  }
  return detail::crps_of(apart, estimator);
}

/// Gathers sampled forecasts window by window, without keeping them.
class crps_accumulator {
 public:
  /// @throws usage_error on a horizon of 0
  explicit crps_accumulator(std::size_t horizon, crps_estimator estimator = crps_estimator::plain)
      : estimator_(estimator), means_(horizon) {}

  std::size_t horizon() const { return means_.horizon(); }

  /// Adds one window.
  /// @param truth    [horizon]; gaps are left out
  /// @param samples  [n, horizon], one sample path after the other; a truth with a gap among its samples is
  ///                 counted as `unforecast`
  /// @throws usage_error unless these are the sizes, and where there are too few samples
  template <numbers Truth, numbers Samples>
  void add(const Truth& truth, const Samples& samples) {
    const auto y = detail::view_of(truth);
    const auto x = detail::view_of(samples);
    detail::require_size("crps_accumulator", "truths", y.size(), horizon());
    const std::size_t n = x.size() / horizon();
    detail::require_size("crps_accumulator", "numbers of sample paths (samples x horizon)", x.size(),
                         n * horizon());
    detail::require_samples("crps_accumulator", n, estimator_);
    apart_.resize(n);
    for (std::size_t h = 0; h < horizon(); ++h) {
      if (std::isnan(y[h])) continue;
      bool known = true;
      for (std::size_t i = 0; i < n; ++i) {
        apart_[i] = static_cast<double>(x[i * horizon() + h]) - static_cast<double>(y[h]);
        known = known && !std::isnan(apart_[i]);
      }
      if (known)
        means_.add(h, detail::crps_of(apart_, estimator_));
      else
        ++unforecast_;
    }
  }

  /// Takes in the windows of another. @throws usage_error unless horizons and estimators agree
  void merge(const crps_accumulator& other) {
    if (estimator_ != other.estimator_)
      throw usage_error("crps_accumulator: plain and fair scores cannot be merged.");
    means_.merge(other.means_);
    unforecast_ += other.unforecast_;
  }

  /// Over all truths; NaN where there were none.
  double mean() const { return means_.mean(); }
  /// [horizon]
  std::vector<double> by_step() const { return means_.by_step(); }
  /// Truths counted.
  std::size_t count() const { return means_.count(); }
  /// Truths left out for a gap among their samples.
  std::size_t unforecast() const { return unforecast_; }

 private:
  crps_estimator estimator_;
  step_means means_;
  std::vector<double> apart_;
  std::size_t unforecast_ = 0;
};

}  // namespace fmsb::metrics
