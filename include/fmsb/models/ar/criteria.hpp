#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/models/ar/orders.hpp"  // order_path

#include <cmath>        // std::log
#include <cstddef>      // std::size_t
#include <limits>       // infinity
#include <numbers>      // std::numbers::pi
#include <span>         // std::span
#include <string>       // std::to_string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace fmsb::ar {

/// One-step information criteria.
enum class criterion { aic, aicc, bic, hqic };

constexpr std::string_view name_of(criterion c) {
  return c == criterion::aic ? "aic" : c == criterion::aicc ? "aicc" : c == criterion::bic ? "bic" : "hqic";
}

/// A criterion of a Gaussian autoregression with intercept; lower is better. With N samples, variance
/// s = RSS / N and k = order + 2 parameters (the lags, the intercept and the variance):
///
///     -2 ln L = N (ln(2 pi s) + 1)
///     AIC  = -2 ln L + 2 k              AICc = -2 ln L + 2 k N / (N - k - 1),  infinite for N <= k + 1
///     BIC  = -2 ln L + k ln N           HQIC = -2 ln L + 2 k ln ln N
///
/// statsmodels' `AutoReg` counts alike; its `ar_select_order` leaves the variance out of k, which takes the
/// same constant from every order, 2, ln N or 2 ln ln N.
inline double information(criterion c, std::size_t order, double samples, double variance) {
  const double k = static_cast<double>(order) + 2;
  const double fit = samples * (std::log(2 * std::numbers::pi * variance) + 1);
  if (c == criterion::aic) return fit + 2 * k;
  if (c == criterion::bic) return fit + k * std::log(samples);
  if (c == criterion::hqic) return fit + 2 * k * std::log(std::log(samples));
  const double left = samples - k - 1;
  return left > 0 ? fit + 2 * k * samples / left : std::numeric_limits<double>::infinity();
}

/// The criterion of every order of a path. All orders share one sample, so the values compare.
inline std::vector<double> information(criterion c, const order_path& path) {
  std::vector<double> values(path.rss.size());
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = information(c, k, path.samples, path.rss[k] / path.samples);
  return values;
}

/// The rule of the released Auto-AR program, ln(MSE) + (order + 1) ln(N) / N, where MSE is the H-step error
/// of all windows and N the number of errors in it (channels x windows x H).
inline double released_criterion(double mse, std::size_t order, double errors) {
  return std::log(mse) + (static_cast<double>(order) + 1) * std::log(errors) / errors;
}

/// The index of the smallest value, the first of equals; NaN is never chosen. 0 for nothing but NaN.
inline std::size_t index_of_smallest(std::span<const double> values) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < values.size(); ++k)
    if (values[k] < values[best] || (std::isnan(values[best]) && !std::isnan(values[k]))) best = k;
  return best;
}

/// The order that a criterion prefers among `first` .. max_order; of equals the smaller.
inline std::size_t best_order(criterion c, const order_path& path, std::size_t first = 0) {
  const auto values = information(c, path);
  if (first >= values.size())
    throw usage_error("fmsb::ar::best_order: orders from " + std::to_string(first) +
                      " were asked for; fitted are 0 to " + std::to_string(path.max_order()) + ".");
  return first + index_of_smallest(std::span(values).subspan(first));
}

}  // namespace fmsb::ar
