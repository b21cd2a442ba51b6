#pragma once
#include "fmsb/core/error.hpp"          // usage_error
#include "fmsb/models/ar/lag_gram.hpp"  // lag_gram
#include "fmsb/models/ar/model.hpp"     // model
#include "fmsb/nn/cholesky.hpp"         // cholesky
#include "fmsb/nn/tensor.hpp"           // dense algebra

#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::ar {

/// The Gram matrix of the lags stays singular under a ridge: a constant channel alone, say, or a pure cycle.
struct collinear_lags : data_error {
  using data_error::data_error;
};

/// The least-squares fits of every order 0..P on one sample, with intercept.
struct order_path {
  std::vector<double> rss;  ///< [P+1], residual sum of squares of order k
  double samples = 0;       ///< rows of the regression, the same for every order
  tensor coefficients;      ///< [P+1, P+1]: row k holds the intercept, lags 1..k, zeros
  double ridge = 0;         ///< what had to be added to the diagonal, relative to its mean; 0 as a rule
  int differencing = 0;

  std::size_t max_order() const { return rss.size() - 1; }

  /// The fit of order `order` as a model.
  model at(std::size_t order) const {
    if (order > max_order())
      throw usage_error("fmsb::ar::order_path::at: order " + std::to_string(order) +
                        " was asked for; fitted are 0 to " + std::to_string(max_order()) + ".");
    const double* row = nn::values_of(coefficients).data() + order * rss.size();
    return {.order = order,
            .differencing = differencing,
            .coefficients = {row + 1, row + 1 + order},
            .intercept = row[0]};
  }
};

namespace detail {

struct factor {
  tensor lower;
  double ridge = 0;
};

/// Cholesky of a Gram matrix; where rounding or collinear lags make it indefinite, the smallest ridge of
/// 1e-12, 1e-11, .. 1e-6 times the mean diagonal that cures it.
inline factor cholesky_with_ridge(const tensor& a) {
  if (auto lower = nn::cholesky(a)) return {*lower, 0};
  const double mean = a.trace().item<double>() / static_cast<double>(a.size(0));
  for (double ridge = 1e-12; ridge < 2e-6 && mean > 0; ridge *= 10) {
    auto lifted = a.clone();
    lifted.diagonal().add_(ridge * mean);
    if (auto lower = nn::cholesky(lifted)) return {*lower, ridge};
  }
  throw collinear_lags(
      "fmsb::ar: the lags of this series are collinear beyond repair (a constant or non-finite channel?); "
      "drop "
      "such channels or lower the order.");
}

/// The normal equations in the order intercept, lag 1 .. lag P: matrix and right-hand side.
struct normal_equations {
  tensor matrix;  // [P+1, P+1]
  tensor right;   // [P+1]
  double target = 0;
};

inline normal_equations bordered(const lag_gram& g, std::size_t order) {
  const auto n = static_cast<std::int64_t>(order) + 1;
  normal_equations e{.matrix = g.second.slice(0, 0, n).slice(1, 0, n).clone(),
                     .right = g.second.select(0, 0).slice(0, 0, n).clone(),
                     .target = g.second.select(0, 0).select(0, 0).item<double>()};
  // Row and column 0 held the target; the intercept takes their place.
  e.matrix.select(0, 0).copy_(g.first.slice(0, 0, n));
  e.matrix.select(1, 0).copy_(g.first.slice(0, 0, n));
  e.matrix.select(0, 0).select(0, 0).fill_(g.count);
  e.right.select(0, 0).copy_(g.first.select(0, 0));
  return e;
}

}  // namespace detail

/// Every order 0..P from one Cholesky factorisation of the normal equations A = L L':
///
///     RSS_k = y'y - sum_{i<=k} l_i^2,   beta_k = sum_{i<=k} l_i (row i of L^-1),   l = L^-1 X'y.
///
/// All orders share the sample of the largest, so that criteria compare like with like. 2/3 P^3 flops for
/// everything.
///
/// @param g  moments of `differencing` times differenced values, with at least `max_order` lags
/// @throws collinear_lags where the lags stay so under a ridge of 1e-6
inline order_path fit_orders(const lag_gram& g, std::size_t max_order, int differencing) {
  const auto e = detail::bordered(g, max_order);
  const auto n = static_cast<std::int64_t>(max_order) + 1;
  const auto [lower, ridge] = detail::cholesky_with_ridge(e.matrix);
  const auto inverse =
      at::linalg_solve_triangular(lower, at::eye(n, at::kDouble), /*upper=*/false).contiguous();
  const auto projected =
      at::linalg_solve_triangular(lower, e.right.unsqueeze(1), /*upper=*/false).contiguous();

  order_path path{.rss = std::vector<double>(max_order + 1),
                  .samples = g.count,
                  .coefficients = inverse,
                  .ridge = ridge,
                  .differencing = differencing};
  double* rows = nn::values_of(inverse).data();
  const double* l = nn::values_of(projected).data();
  double rss = e.target;
  for (std::size_t k = 0; k <= max_order; ++k) {
    rss -= l[k] * l[k];
    path.rss[k] = std::max(rss, 0.0);
    double* row = rows + k * (max_order + 1);
    for (std::size_t j = 0; j <= k; ++j) row[j] *= l[k];
    if (k > 0)
      for (std::size_t j = 0; j < k; ++j) row[j] += row[j - max_order - 1];
  }
  return path;
}

/// The least-squares fit of one order on its own sample: `g` holds moments with exactly the wanted lags.
inline model fit_order(const lag_gram& g, std::size_t order, int differencing) {
  const auto e = detail::bordered(g, order);
  const auto factor = detail::cholesky_with_ridge(e.matrix);
  const auto solution = at::cholesky_solve(e.right.unsqueeze(1), factor.lower).contiguous();
  const double* b = nn::values_of(solution).data();
  return {.order = order,
          .differencing = differencing,
          .coefficients = {b + 1, b + 1 + order},
          .intercept = b[0]};
}

}  // namespace fmsb::ar
