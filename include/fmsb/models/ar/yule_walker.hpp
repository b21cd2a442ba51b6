#pragma once
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/correlate.hpp"   // correlate
#include "fmsb/models/ar/orders.hpp"      // order_path
#include "fmsb/models/ar/reflection.hpp"  // reflection_path

#include <algorithm>  // std::copy
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <vector>     // std::vector

namespace fmsb::ar {

/// Biased autocovariances r_0 .. r_max of all channels about their common mean, each sum divided by the
/// number of all values.
inline std::vector<double> autocovariances(const detail::centred_channels& x, std::size_t max_lag) {
  std::vector<double> reversed(max_lag + 1, 0.0), padded;
  for (const auto& values : x.values) {
    padded.assign(max_lag, 0.0);  // what lies before the first value counts as zero
    padded.insert(padded.end(), values.begin(), values.end());
    correlate(reversed, values, padded.data());
  }
  std::vector<double> r(max_lag + 1);
  for (std::size_t k = 0; k <= max_lag; ++k) r[k] = reversed[max_lag - k] / x.count;
  return r;
}

/// Autoregressions of every order 0..max_order by the Yule-Walker equations on pooled autocovariances, solved
/// by the Durbin-Levinson recursion: 2 x values x max_order + 2 max_order^2 flops. Every one is stable.
///
/// These are other estimates than least squares: biased towards zero for short series and strong cycles.
/// In the path, `rss[k]` is the innovation variance of order k times `samples`, the number of all values, so
/// that the information criteria apply.
///
/// @param segments  differenced values without gaps
/// @param differencing  how often they were differenced, for the models
/// @param about  zero for models without intercept
/// @throws data_error when there is no value or one is not finite
inline order_path fit_yule_walker(std::span<const data::series> segments, std::size_t max_order,
                                  int differencing, centring about = centring::mean) {
  const auto x = detail::centre(segments, about, "fit_yule_walker");
  const auto r = autocovariances(x, max_order);
  detail::reflection_path path(max_order, x.mean, r[0], x.count, differencing);
  const std::vector<double> reversed(r.rbegin(), r.rend());  // reversed[max_order - k] = r_k
  while (path.order() < max_order) {
    const std::size_t m = path.order();
    const auto phi = path.coefficients();
    double unexplained = r[m + 1];
    const double* earlier = reversed.data() + max_order - m;  // r_m, r_{m-1}, .., r_1
    for (std::size_t i = 0; i < m; ++i) unexplained -= phi[i] * earlier[i];
    const double variance = path.variance();
    path.push(unexplained / variance);
  }
  return path.take();
}

/// The same for one series.
inline order_path fit_yule_walker(const data::series& y, std::size_t max_order, int differencing,
                                  centring about = centring::mean) {
  return fit_yule_walker(std::span(&y, 1), max_order, differencing, about);
}

}  // namespace fmsb::ar
