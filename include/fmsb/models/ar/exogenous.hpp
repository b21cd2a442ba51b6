#pragma once
#include "fmsb/core/error.hpp"              // usage_error, data_error
#include "fmsb/data/series.hpp"             // data::series
#include "fmsb/models/ar/correlate.hpp"     // correlate
#include "fmsb/models/ar/difference.hpp"    // difference
#include "fmsb/models/ar/horizon_walk.hpp"  // horizon_walk
#include "fmsb/models/ar/lag_gram.hpp"      // gram_of
#include "fmsb/models/ar/model.hpp"         // model
#include "fmsb/models/ar/orders.hpp"        // cholesky_with_ridge
#include "fmsb/nn/tensor.hpp"               // cholesky_solve

#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <iterator>   // std::reverse_iterator
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

/// An autoregression with exogenous columns, one set of coefficients for all channels:
///
///     y(t) = intercept + sum_i phi_i y(t-i) + sum_{m,l} weights[m, l] v_m(t-l) + error
///
/// with y and v the series and the columns, both `differencing` times differenced: the columns explain levels
/// by levels. Columns are shared by the channels and must be known for the time that is forecast (calendar,
/// price, plan, another forecast).
struct exogenous_model {
  model autoregression;
  std::size_t columns = 0;
  std::size_t lags = 0;         ///< 0 .. lags of every column are read
  std::vector<double> weights;  ///< [columns, lags + 1], lag 0 first

  /// Rows that a forecast reads.
  std::size_t memory() const {
    return std::max(autoregression.order, lags) + static_cast<std::size_t>(autoregression.differencing);
  }
};

namespace detail {

/// sum_{t >= first} a(t-i) b(t-j) for i <= a_lags, j <= b_lags, row-major: one row, one column, and the rest
/// by displacement.
inline std::vector<double> cross_moments(std::span<const double> a, std::size_t a_lags,
                                         std::span<const double> b, std::size_t b_lags, std::size_t first) {
  const std::size_t width = b_lags + 1, last = a.size() - 1;
  std::vector<double> g((a_lags + 1) * width), row(width, 0.0), column(a_lags + 1, 0.0);
  correlate(row, a.subspan(first), b.data() + first - b_lags);  // row[k] pairs a(t) with b(t - b_lags + k)
  correlate(column, b.subspan(first), a.data() + first - a_lags);
  for (std::size_t j = 0; j < width; ++j) g[j] = row[b_lags - j];
  for (std::size_t i = 1; i <= a_lags; ++i) {
    g[i * width] = column[a_lags - i];
    for (std::size_t j = 1; j < width; ++j)
      g[i * width + j] =
          g[(i - 1) * width + j - 1] + a[first - i] * b[first - j] - a[last - i + 1] * b[last - j + 1];
  }
  return g;
}

/// sum_{t >= first} a(t-i) for i <= lags.
inline std::vector<double> lagged_sums(std::span<const double> a, std::size_t lags, std::size_t first) {
  std::vector<double> sums(lags + 1, 0.0);
  for (double v : a.subspan(first)) sums[0] += v;
  for (std::size_t i = 1; i <= lags; ++i) sums[i] = sums[i - 1] + a[first - i] - a[a.size() - i];
  return sums;
}

/// What the columns contribute at every differenced row from `lags` on.
inline std::vector<double> exogenous_part(const exogenous_model& m, const data::series& v) {
  std::vector<double> out(v.length() - m.lags, 0.0);
  for (std::size_t k = 0; k < m.columns; ++k) {
    const double* w = m.weights.data() + k * (m.lags + 1);
    const std::vector<double> oldest_first(std::reverse_iterator(w + m.lags + 1), std::reverse_iterator(w));
    correlate(out, oldest_first, v.channel(k).data());
  }
  return out;
}

}  // namespace detail

/// Pooled least squares with exogenous columns. All moments come by displacement, so the columns cost
/// O(T x columns x (order + lags)) and the solution (order + columns x lags)^3 / 3 flops. Collinear columns
/// (two lags of a sinusoid, say) are cured by the ridge of fit_orders.
///
/// @param y  levels, [channels, time], without gaps  @param v  columns on the same rows
/// @throws usage_error where the lengths differ
/// @throws data_error where fewer samples than coefficients are there
inline exogenous_model fit_with_exogenous(const data::series& y, const data::series& v, std::size_t order,
                                          std::size_t lags, int differencing) {
  if (y.length() != v.length())
    throw usage_error("fmsb::ar::fit_with_exogenous: " + std::to_string(y.length()) +
                      " rows of the series and " + std::to_string(v.length()) +
                      " of the exogenous columns do not belong together.");
  const std::size_t first = std::max(order, lags), columns = v.channels();
  const std::size_t size = 1 + order + columns * (lags + 1);
  const std::size_t lost = first + static_cast<std::size_t>(differencing);
  if (y.length() <= lost || (y.length() - lost) * y.channels() < size)
    throw data_error("fmsb::ar::fit_with_exogenous: " + std::to_string(y.length()) + " rows of " +
                     std::to_string(y.channels()) + " channels are too few for " + std::to_string(size) +
                     " coefficients that read " + std::to_string(lost) + " earlier rows.");
  const auto yd = difference(y, differencing), vd = difference(v, differencing);
  const double channels = static_cast<double>(y.channels());
  std::vector<double> total(yd.length(),
                            0.0);  // the columns are shared, so they meet the sum of the channels
  for (std::size_t c = 0; c < yd.channels(); ++c)
    for (std::size_t t = 0; t < total.size(); ++t) total[t] += yd.channel(c)[t];

  const auto own = gram_of(lag_moments::of(yd.slice(first - order, yd.length()), order));
  auto e = detail::bordered(own, order);
  const auto matrix = doubles(size, size), right = doubles(size, 1);
  double* a = nn::values_of(matrix).data();
  double* b = nn::values_of(right).data();
  const double* inner = nn::values_of(e.matrix).data();
  for (std::size_t i = 0; i <= order; ++i) {
    b[i] = nn::values_of(e.right)[i];
    for (std::size_t j = 0; j <= order; ++j) a[i * size + j] = inner[i * (order + 1) + j];
  }
  for (std::size_t k = 0; k < columns; ++k) {
    const std::size_t at = 1 + order + k * (lags + 1);
    const auto sums = detail::lagged_sums(vd.channel(k), lags, first);
    const auto cross = detail::cross_moments(total, order, vd.channel(k), lags, first);
    for (std::size_t l = 0; l <= lags; ++l) {
      a[(at + l) * size] = a[at + l] = channels * sums[l];
      b[at + l] = cross[l];
      for (std::size_t i = 1; i <= order; ++i)
        a[i * size + at + l] = a[(at + l) * size + i] = cross[i * (lags + 1) + l];
    }
    for (std::size_t other = 0; other < columns; ++other) {
      const auto pair = detail::cross_moments(vd.channel(k), lags, vd.channel(other), lags, first);
      const std::size_t to = 1 + order + other * (lags + 1);
      for (std::size_t i = 0; i <= lags; ++i)
        for (std::size_t j = 0; j <= lags; ++j)
          a[(at + i) * size + to + j] = channels * pair[i * (lags + 1) + j];
    }
  }
  const auto solution = at::cholesky_solve(right, detail::cholesky_with_ridge(matrix).lower).contiguous();
  const auto beta = nn::values_of(solution);
  return {.autoregression = {.order = order,
                             .differencing = differencing,
                             .coefficients = {beta.begin() + 1,
                                              beta.begin() + 1 + static_cast<std::ptrdiff_t>(order)},
                             .intercept = beta[0]},
          .columns = columns,
          .lags = lags,
          .weights = {beta.begin() + 1 + static_cast<std::ptrdiff_t>(order), beta.end()}};
}

namespace detail {
inline void require_columns(const exogenous_model& m, const data::series& v, std::size_t rows) {
  if (v.channels() != m.columns || v.length() != rows)
    throw usage_error("fmsb::ar: the model reads " + std::to_string(m.columns) + " exogenous columns on " +
                      std::to_string(rows) + " rows; got " + std::to_string(v.channels()) + " on " +
                      std::to_string(v.length()) + ".");
}
}  // namespace detail

/// Forecasts of the `horizon` levels after `history`.
/// @param history  at least `m.memory()` levels, oldest first
/// @param v        the columns on the rows of the history and the `horizon` rows after it
/// @throws usage_error where the columns cover other rows
inline std::vector<double> forecast(const exogenous_model& m, std::span<const double> history,
                                    const data::series& v, std::size_t horizon) {
  detail::require_columns(m, v, history.size() + horizon);
  if (history.size() < m.memory())
    throw usage_error("fmsb::ar::forecast: the model reads " + std::to_string(m.memory()) +
                      " rows; the history has " + std::to_string(history.size()) + ".");
  const auto part = detail::exogenous_part(m, difference(v, m.autoregression.differencing));
  const auto levels = level_coefficients(m.autoregression);
  std::vector<double> path(history.begin(), history.end());
  for (std::size_t h = 0; h < horizon; ++h) {
    double next = m.autoregression.intercept + part[part.size() - horizon + h];
    for (std::size_t i = 0; i < levels.size(); ++i) next += levels[i] * path[path.size() - 1 - i];
    path.push_back(next);
  }
  return {path.end() - static_cast<std::ptrdiff_t>(horizon), path.end()};
}

/// The errors of every stride-1 window, the columns being known in the future: `visit(channel, step,
/// errors)`, step after step.
///
/// Known columns shift forecast and target alike, so the error of step h is still sum_{k<h} psi_k e(t+h-k),
/// with the one-step residuals e of the whole model and psi of its autoregression alone: 2 flops an error.
/// @throws usage_error where the columns cover other rows, no window fits, or the context is below m.memory()
template <class Visit>
void for_each_horizon_error(const exogenous_model& m, const data::series& y, const data::series& v,
                            std::size_t context, std::size_t horizon, Visit&& visit) {
  detail::require_columns(m, v, y.length());
  if (context < m.memory() || horizon == 0 || y.length() < context + horizon)
    throw usage_error("fmsb::ar: " + std::to_string(y.length()) + " rows hold no window of " +
                      std::to_string(context) + " inputs, at least the " + std::to_string(m.memory()) +
                      " that the model reads, and " + std::to_string(horizon) + " targets.");
  const std::size_t windows = y.length() - context - horizon + 1;
  const auto part = detail::exogenous_part(m, difference(v, m.autoregression.differencing));
  const std::size_t targets = windows + horizon - 1;
  std::vector<std::vector<double>> residuals;
  for (std::size_t c = 0; c < y.channels(); ++c) {
    residuals.push_back(
        one_step_residuals(m.autoregression, y.channel(c).subspan(context - m.autoregression.memory())));
    for (std::size_t t = 0; t < targets; ++t) residuals.back()[t] -= part[part.size() - targets + t];
  }
  horizon_walk walk(std::move(residuals), impulse_response(m.autoregression, horizon), windows);
  while (walk.advance())
    for (std::size_t c = 0; c < walk.channels(); ++c) visit(c, walk.step(), walk.errors(c));
}

}  // namespace fmsb::ar
