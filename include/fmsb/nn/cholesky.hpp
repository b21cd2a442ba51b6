#pragma once
#include "fmsb/nn/tensor.hpp"  // dense algebra

#include <algorithm>  // std::min
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional

namespace fmsb::nn {

/// Columns that are factorised at a time: the rest of the work is matrix products. For the some hundred rows
/// of a lag Gram matrix that takes about two thirds of the time of one LAPACK call for the whole.
inline constexpr std::int64_t kCholeskyBlock = 96;

/// Writes the factor L of a symmetric positive definite matrix A = L L' over A's lower triangle, without
/// memory of its own. Only the lower triangle is read; what stands above it afterwards means nothing.
///
/// @param a  [n, n] double
/// @return false when rounding or collinear rows make A indefinite; `a` is then half done and of no use
inline bool factorise_lower(const tensor& a) {
  const std::int64_t n = a.size(0);
  for (std::int64_t k = 0; k < n; k += kCholeskyBlock) {
    const std::int64_t end = std::min(n, k + kCholeskyBlock);
    auto panel = a.slice(0, k, n).slice(1, k, end);  // the block column from its diagonal down
    if (k > 0) panel.addmm_(a.slice(0, k, n).slice(1, 0, k), a.slice(0, k, end).slice(1, 0, k).t(), 1, -1);
    auto diagonal = panel.slice(0, 0, end - k);
    const auto [factor, info] = at::linalg_cholesky_ex(diagonal);
    if (info.item<int>() != 0) return false;
    diagonal.copy_(factor);
    if (end == n) break;
    auto below = panel.slice(0, end - k, n - k);
    below.copy_(at::linalg_solve_triangular(factor.t(), below, /*upper=*/true, /*left=*/false));
  }
  return true;
}

/// X of A X = B, from the factor of `factorise_lower` or `cholesky`. Fastest where B's columns are
/// contiguous.
///
/// @param lower  [n, n]; only the lower triangle is read
/// @param b      [n, k]
inline tensor solve_factorised(const tensor& lower, const tensor& b) {
  const auto y = at::linalg_solve_triangular(lower, b, /*upper=*/false);
  return at::linalg_solve_triangular(lower.t(), y, /*upper=*/true);
}

/// The lower factor L of a symmetric positive definite matrix A = L L', zero above the diagonal; nothing when
/// rounding or collinear rows make A indefinite.
///
/// @param a  [n, n] double; only the lower triangle is read
inline std::optional<tensor> cholesky(const tensor& a) {
  auto lower = a.clone(at::MemoryFormat::Contiguous);
  if (!factorise_lower(lower)) return {};
  return lower.tril_();
}

}  // namespace fmsb::nn
