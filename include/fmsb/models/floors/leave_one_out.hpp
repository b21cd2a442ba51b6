#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/cholesky.hpp"  // factorise_lower
#include "fmsb/nn/tensor.hpp"    // tensor

#include <algorithm>  // std::min
#include <limits>     // std::numeric_limits
#include <optional>   // std::optional
#include <utility>    // std::move

/// Ridge regression with an intercept that is not penalised, and what it would have predicted for every row
/// without having seen it, from one factorisation. With X the centred features, Y the targets and
/// G = (X X' + lambda)^-1 the weights are X' G (Y - mean), and the row's error without it is
/// lambda (G (Y - mean))_i / (lambda G_ii - 1/n).
///
/// Source: Allen, "The relationship between variable selection and data augmentation and a method for
/// prediction", Technometrics 16 (1974), PRESS; Rifkin and Lippert, "Notes on regularized least squares", MIT
/// 2007, section 3; the 1/n is the intercept's, for X X' maps the constant vector to 0.
namespace fmsb::models {

/// Solutions for one strength.
struct ridge_solution {
  double lambda = 0;
  double error = std::numeric_limits<double>::infinity();  ///< mean squared leave-one-out error
  tensor weights;    ///< [features, targets], or [rows, targets] of the rows: weights = X' of it
  tensor residuals;  ///< [rows, targets], leave-one-out
};

namespace detail {

/// Writes L^-1 over `to`, which holds zeros. Half of the work of a triangular solve for all columns of the
/// unit matrix, and all of it products.
inline void invert_lower(const tensor& lower, const tensor& to) {
  const index_t n = lower.size(0);
  if (n <= 192) {
    to.copy_(at::linalg_solve_triangular(lower, at::eye(n, lower.options()), /*upper=*/false));
    return;
  }
  const index_t half = n / 2;
  const auto part = [&](const tensor& of, index_t row, index_t column) {
    return of.slice(0, row, row == 0 ? half : n).slice(1, column, column == 0 ? half : n);
  };
  invert_lower(part(lower, 0, 0), part(to, 0, 0));
  invert_lower(part(lower, half, half), part(to, half, half));
  part(to, half, 0).copy_(at::mm(part(to, half, half), at::mm(part(lower, half, 0), part(to, 0, 0))).neg_());
}

/// X X', of which only the lower triangle (and some blocks above) is computed.
inline tensor lower_gram(const tensor& x) {
  constexpr index_t kBlock = 768;
  const index_t n = x.size(0);
  auto out = at::zeros({n, n}, x.options());
  for (index_t k = 0; k < n; k += kBlock) {
    auto panel = out.slice(0, k).slice(1, k, std::min(n, k + kBlock));
    panel.copy_(at::mm(x.slice(0, k), x.slice(0, k, std::min(n, k + kBlock)).t()));
  }
  return out;
}

}  // namespace detail

/// Leave-one-out ridge by the Gram matrix of rows: for more features than rows.
class ridge_by_rows {
 public:
  /// @param features  [rows, features], columns of mean 0
  /// @param targets   [rows, targets]
  ridge_by_rows(const tensor& features, const tensor& targets)
      : gram_(detail::lower_gram(features)), about_mean_(targets - targets.mean(0, true)) {}

  /// The mean squared length of a row: lambda is chosen in multiples of it.
  double scale() const { return gram_.diagonal().mean().item<double>(); }

  /// An infinite error where rounding makes the matrix indefinite: lambda is too small for the type.
  ridge_solution at(double lambda) const {
    const auto n = gram_.size(0);
    auto lower = gram_.clone();
    lower.diagonal().add_(lambda);
    ridge_solution out;
    out.lambda = lambda;
    if (!nn::factorise_lower(lower)) return out;
    const auto inverse = at::zeros({n, n}, lower.options());
    detail::invert_lower(lower, inverse);
    out.weights = at::mm(inverse.t(), at::mm(inverse, about_mean_));
    // 1 - h_ii, which rounding may take below 0 where a row is all but its own only witness
    const auto left = (inverse.square_().sum(0) * lambda - 1.0 / static_cast<double>(n)).clamp_min_(1e-6);
    out.residuals = out.weights * lambda / left.unsqueeze(1);
    out.error = out.residuals.square().mean().item<double>();
    return out;
  }

  /// [features, targets] from a solution's weights of the rows.
  tensor of_features(const ridge_solution& best, const tensor& features) const {
    return at::mm(best.weights.t(), features).t();  // this way round it is a tenth of the time
  }

 private:
  tensor gram_, about_mean_;
};

/// The same by the eigenvectors of the features' covariance: for fewer features than rows.
class ridge_by_features {
 public:
  ridge_by_features(const tensor& features, const tensor& targets)
      : about_mean_(targets - targets.mean(0, true)) {
    auto [values, vectors] = at::linalg_eigh(at::mm(features.t(), features));
    values_ = values.clamp_min(0);
    vectors_ = vectors;
    turned_ = at::mm(features, vectors_);
    products_ = at::mm(turned_.t(), about_mean_);
  }

  double scale() const { return values_.sum().item<double>() / static_cast<double>(turned_.size(0)); }

  ridge_solution at(double lambda) const {
    ridge_solution out;
    out.lambda = lambda;
    const auto shrink = (values_ + lambda).reciprocal();
    const auto turned_weights = products_ * shrink.unsqueeze(1);
    const auto leverage = at::mv(turned_.square(), shrink) + 1.0 / static_cast<double>(turned_.size(0));
    out.weights = at::mm(vectors_, turned_weights);
    out.residuals =
        (about_mean_ - at::mm(turned_, turned_weights)) / (1 - leverage).clamp_min_(1e-6).unsqueeze(1);
    out.error = out.residuals.square().mean().item<double>();
    return out;
  }

  tensor of_features(const ridge_solution& best, const tensor&) const { return best.weights; }

 private:
  tensor about_mean_, values_, vectors_, turned_, products_;
};

}  // namespace fmsb::models
