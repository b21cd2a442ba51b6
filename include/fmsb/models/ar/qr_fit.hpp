#pragma once
#include "fmsb/core/error.hpp"          // usage_error, data_error
#include "fmsb/data/series.hpp"         // data::series
#include "fmsb/models/ar/lag_gram.hpp"  // doubles
#include "fmsb/models/ar/model.hpp"     // model
#include "fmsb/nn/tensor.hpp"           // linalg_qr

#include <ATen/ops/linalg_svd.h>  // at::linalg_svd: the minimum-norm solution of a rank-deficient fit

#include <algorithm>  // std::max, std::copy_n
#include <cmath>      // std::abs, std::isfinite
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::swap
#include <vector>     // std::vector

namespace fmsb::ar {

/// A least-squares fit by orthogonal factorisation.
struct qr_result {
  model fitted;
  double rss = 0;  ///< residual sum of squares
  std::size_t samples = 0;
  std::size_t rank = 0;  ///< of the design, at most order + 1; below that the coefficients have minimum norm
};

namespace detail {

/// The triangular factor of a design [1, x(t-p) .. x(t-1), x(t)] that is never held whole: rows gather in a
/// block under the factor so far, and a full block is factorised into the next one.
class stacked_qr {
 public:
  explicit stacked_qr(std::size_t columns)
      : columns_(columns),
        capacity_(std::max<std::size_t>(4 * columns, 256)),
        block_(doubles(capacity_, columns)) {}

  double* next_row() {
    if (used_ == capacity_) fold();
    return nn::values_of(block_).data() + used_++ * columns_;
  }

  /// [columns, columns], upper triangular; rows beyond the data are zero.
  tensor factor() {
    while (used_ < columns_) std::fill_n(next_row(), columns_, 0.0);
    fold();
    return block_.slice(0, 0, static_cast<std::int64_t>(columns_)).clone();
  }

 private:
  void fold() {
    const auto r = std::get<1>(at::linalg_qr(block_.slice(0, 0, static_cast<std::int64_t>(used_)), "r"));
    block_.slice(0, 0, static_cast<std::int64_t>(columns_)).copy_(r);
    used_ = columns_;
  }

  std::size_t columns_, capacity_;
  tensor block_;
  std::size_t used_ = 0;
};

}  // namespace detail

/// The pooled least-squares fit of one order by Householder QR of its design, in blocks of rows: accurate for
/// designs whose condition number the normal equations square, at about p times their cost,
/// 2.5 x samples x (order + 2)^2 flops and 4 x (order + 2)^2 doubles.
///
/// Columns count as dependent when the smallest diagonal element of R is below 1e-12 of the largest; the
/// answer is then the one of minimum norm, by the singular values of R above the same share.
///
/// @param segments  differenced values; a sample lies within one channel of one segment
/// @param differencing  how often they were differenced, for the model
/// @throws data_error where no segment holds a sample, or a value is not finite
inline qr_result fit_by_qr(std::span<const data::series> segments, std::size_t order, int differencing) {
  detail::stacked_qr stack(order + 2);
  qr_result result;
  for (const auto& x : segments)
    for (std::size_t c = 0; c < x.channels(); ++c) {
      const auto values = x.channel(c);
      for (double v : values)
        if (!std::isfinite(v))
          throw data_error("fmsb::ar::fit_by_qr: channel \"" + x.names()[c] +
                           "\" holds a value that is not finite; fill gaps or cut the series at them.");
      for (std::size_t t = order; t < values.size(); ++t) {
        double* row = stack.next_row();
        row[0] = 1;
        std::copy_n(values.data() + t - order, order + 1, row + 1);
        ++result.samples;
      }
    }
  if (result.samples == 0)
    throw data_error("fmsb::ar::fit_by_qr: no segment is longer than the order " + std::to_string(order) +
                     "; there is nothing to fit.");

  const auto n = static_cast<std::int64_t>(order) + 1;
  const auto whole = stack.factor();
  const auto r = whole.slice(0, 0, n).slice(1, 0, n);
  const auto right = whole.slice(0, 0, n).slice(1, n, n + 1);
  const auto diagonal = r.diagonal().abs().contiguous();
  const auto pivots = nn::values_of(diagonal);
  double smallest = pivots[0], largest = pivots[0];
  for (double v : pivots) smallest = std::min(smallest, v), largest = std::max(largest, v);

  constexpr double kRankTolerance = 1e-12;
  tensor solution;
  const double residual = whole.select(0, n).select(0, n).item<double>();
  result.rss = residual * residual;
  if (smallest > kRankTolerance * largest) {
    solution = at::linalg_solve_triangular(r, right, /*upper=*/true).contiguous();
    result.rank = order + 1;
  } else {
    const auto [u, s, vt] = at::linalg_svd(r, /*full_matrices=*/false);
    const auto values = s.contiguous();
    const auto sigma = nn::values_of(values);
    while (result.rank < sigma.size() && sigma[result.rank] > kRankTolerance * sigma[0]) ++result.rank;
    const auto rank = static_cast<std::int64_t>(result.rank);
    const auto projected = at::mm(u.slice(1, 0, rank).t(), right);
    solution =
        at::mm(vt.slice(0, 0, rank).t(), projected / values.slice(0, 0, rank).unsqueeze(1)).contiguous();
    const auto missed = (right - at::mm(u.slice(1, 0, rank), projected)).norm().item<double>();
    result.rss += missed * missed;
  }
  const double* b = nn::values_of(solution).data();
  result.fitted = {.order = order,
                   .differencing = differencing,
                   .coefficients = {b + 1, b + 1 + order},
                   .intercept = b[0]};
  std::reverse(result.fitted.coefficients.begin(),
               result.fitted.coefficients.end());  // the rows run oldest first
  return result;
}

/// The same for one series without gaps.
inline qr_result fit_by_qr(const data::series& y, std::size_t order, int differencing) {
  return fit_by_qr(std::span(&y, 1), order, differencing);
}

}  // namespace fmsb::ar
