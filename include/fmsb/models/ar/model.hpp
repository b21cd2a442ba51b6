#pragma once
#include "fmsb/core/isa.hpp"  // isa::run

#include <algorithm>  // std::max
#include <cmath>      // std::abs
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <vector>     // std::vector

namespace fmsb::ar {

/// A fitted autoregression of order `order` on `differencing` times differenced values, pooled over
/// channels:
///
///     y(t) = intercept + sum_{i=1..order} coefficients[i-1] y(t-i) + error,   y = (1 - B)^d x
///
/// Units are those of the values it was fitted to.
struct model {
  std::size_t order = 0;
  int differencing = 0;
  std::vector<double> coefficients;  ///< [order], lag 1 first
  double intercept = 0;

  /// Levels that a forecast reads: order + differencing.
  std::size_t memory() const { return order + static_cast<std::size_t>(differencing); }

  friend bool operator==(const model&, const model&) = default;
};

/// Coefficients on levels, lag 1 first, [order + d]: the differencing folded into the
/// autoregression, phi*(B) = phi(B) (1 - B)^d (Box, Jenkins et al., Time Series Analysis, 4.1).
inline std::vector<double> level_coefficients(const model& m) {
  std::vector<double> polynomial(m.memory() + 1, 0.0);  // 1 - phi_1 B - ..., constant term first
  polynomial[0] = 1;
  for (std::size_t i = 0; i < m.order; ++i) polynomial[i + 1] = -m.coefficients[i];
  for (int k = 0; k < m.differencing; ++k)
    for (std::size_t i = polynomial.size(); i-- > 1;) polynomial[i] -= polynomial[i - 1];
  std::vector<double> levels(m.memory());
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = -polynomial[i + 1];
  return levels;
}

namespace detail {
struct scatter_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(double* response, std::size_t horizon, const double* levels, std::size_t memory) {
    for (std::size_t h = 0; h + 1 < horizon; ++h) {
      const double psi = response[h];
      const std::size_t reach = memory < horizon - 1 - h ? memory : horizon - 1 - h;
      double* later = response + h + 1;
      for (std::size_t i = 0; i < reach; ++i) later[i] += psi * levels[i];
    }
  }
};
}  // namespace detail

/// psi_0 .. psi_{horizon-1}: how one unit of error now moves the level h steps later; psi_0 = 1.
/// The h-step error of a forecast is sum_{k<h} psi_k e(t+h-k) (ibid., 5.1).
inline std::vector<double> impulse_response(const model& m, std::size_t horizon) {
  const auto levels = level_coefficients(m);
  std::vector<double> response(horizon, 0.0);
  if (horizon > 0) response[0] = 1;
  isa::run<detail::scatter_kernel>(response.data(), horizon, levels.data(), levels.size());
  return response;
}

/// True when the impulse response stays below `bound` within the horizon. A least-squares fit may
/// be explosive; its forecasts then leave the range of the data.
inline bool is_tame(const model& m, std::size_t horizon, double bound = 1e3) {
  double largest = 0;
  for (double psi : impulse_response(m, horizon)) largest = std::max(largest, std::abs(psi));
  return largest <= bound;  // false for NaN as well
}

/// Point forecasts for the `horizon` steps after `history`, which holds at least `m.memory()` levels,
/// oldest first. Plain recursion, O(horizon x memory).
inline std::vector<double> forecast(const model& m, std::span<const double> history, std::size_t horizon) {
  const auto levels = level_coefficients(m);
  std::vector<double> path(history.end() - static_cast<std::ptrdiff_t>(levels.size()), history.end());
  path.reserve(levels.size() + horizon);
  for (std::size_t h = 0; h < horizon; ++h) {
    double next = m.intercept;
    const double* newest = path.data() + path.size() - 1;
    for (std::size_t i = 0; i < levels.size(); ++i) next += levels[i] * *(newest - i);
    path.push_back(next);
  }
  path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(levels.size()));
  return path;
}

}  // namespace fmsb::ar
