#pragma once
#include "fmsb/models/ar/lag_gram.hpp"           // lag_gram
#include "fmsb/models/ar/linear_forecaster.hpp"  // linear_map
#include "fmsb/models/ar/orders.hpp"             // detail::cholesky_with_ridge
#include "fmsb/nn/tensor.hpp"                    // dense algebra

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <vector>   // std::vector

namespace fmsb::ar {

/// What is subtracted from the inputs and the targets of a window before the regression, and added back
/// after.
enum class window_centring {
  none,        ///< direct regression on levels
  last_value,  ///< NLinear (Zeng et al., "Are Transformers Effective for Time Series Forecasting?", AAAI
               ///< 2023)
  window_mean  ///< the mean of the window's inputs
};

/// How a direct regression sees a window.
struct direct_form {
  window_centring centre = window_centring::none;
  bool intercept = true;  ///< on centred windows an intercept is the drift of the past
};

/// The normal equations of a direct regression of all steps, centred by window and by their mean (so that the
/// intercept is out) where there is one.
struct direct_equations {
  tensor matrix;         ///< [context, context] sum of centred inputs' products
  tensor right;          ///< [context, horizon]
  tensor centre;         ///< [context]: the window functional a; x - a'x is what the regression sees
  tensor mean_input;     ///< [context]
  tensor mean_target;    ///< [horizon]
  tensor target_square;  ///< [horizon] sum of squared centred targets
  double samples = 0;
};

/// From one lag Gram matrix with context + horizon - 1 lags; no window is formed. Centring is the
/// projection x~ = (I - 1 a') x, hence G~ = G - 1 (Ga)' - (Ga) 1' + (a'Ga) 1 1', and alike for the products
/// with the targets.
///
/// @param steps  the steps ahead that are wanted, 1..horizon, as indices into time; all when empty
inline direct_equations direct_equations_of(const lag_gram& g, std::size_t context, std::size_t horizon,
                                            direct_form form, const std::vector<std::size_t>& steps = {}) {
  const auto h = static_cast<std::int64_t>(horizon), l = static_cast<std::int64_t>(context);
  // Lags count back from the last target: target of step s is lag horizon - s, inputs are horizon and more.
  std::vector<std::int64_t> lags;
  if (steps.empty())
    for (std::int64_t s = 1; s <= h; ++s) lags.push_back(h - s);
  else
    for (const auto s : steps) lags.push_back(h - static_cast<std::int64_t>(s));
  const auto targets =
      at::from_blob(lags.data(), {static_cast<std::int64_t>(lags.size())}, at::kLong).clone();

  direct_equations e;
  e.samples = g.count;
  const auto inputs = g.second.slice(0, h, h + l).slice(1, h, h + l);
  const auto input_sum = g.first.slice(0, h, h + l);
  const auto target_sum = g.first.index_select(0, targets);
  // [L, steps] whose columns are contiguous: one row of the Gram matrix each.
  e.matrix = inputs.clone();
  e.right = g.second.slice(1, h, h + l).index_select(0, targets).t();
  e.target_square = g.second.diagonal().index_select(0, targets);

  e.centre = doubles(context);
  if (form.centre == window_centring::last_value) e.centre[0] = 1;
  if (form.centre == window_centring::window_mean) e.centre.fill_(1.0 / static_cast<double>(context));
  auto level = doubles(1).select(0, 0);
  if (form.centre != window_centring::none) {
    const auto ga = at::mv(inputs, e.centre);       // [L]
    const auto ba = at::mv(e.right.t(), e.centre);  // [steps], a'B
    const auto aga = ga.dot(e.centre);              // a'Ga
    const auto shift = (aga - ga).unsqueeze(1);     // [L, 1]
    e.matrix.sub_(ga.unsqueeze(0)).add_(shift);     // G - 1(Ga)' - (Ga)1' + (a'Ga)11'
    e.right.sub_(ba.unsqueeze(0)).add_(shift);      // (I - 1a')(B - Ga 1')
    e.target_square.sub_(ba, 2).add_(aga);
    level = input_sum.dot(e.centre);
  }
  e.mean_input = doubles(context);
  e.mean_target = doubles(lags.size());
  if (form.intercept) {
    e.mean_input = (input_sum - level) / g.count;
    e.mean_target = (target_sum - level) / g.count;
    e.matrix.addr_(e.mean_input, e.mean_input, 1, -g.count);
    e.right.addr_(e.mean_input, e.mean_target, 1, -g.count);
    e.target_square.sub_(e.mean_target.square() * g.count);
  }
  return e;
}

namespace detail {
/// Fills the one direction in which centred inputs never vary, so that the factorisation exists. A solution
/// has no part in it, and neither has the error of one.
inline void fill_null_direction(const tensor& matrix, const tensor& centre) {
  const double norm = centre.dot(centre).item<double>();
  if (norm == 0) return;
  const double mean = matrix.trace().item<double>() / static_cast<double>(matrix.size(0));
  matrix.addr_(centre, centre, 1, mean / norm);
}
}  // namespace detail

/// Centred coefficients back to a map on levels: weights a + (I - a 1') w, intercept from the means.
inline linear_map to_linear_map(const direct_equations& e, const tensor& solution) {
  auto weights = solution.t().contiguous();  // [H, L]
  if (e.centre.any().item<bool>()) weights = weights.addr(1 - solution.sum(0), e.centre);
  const auto intercept = (e.mean_target - at::mv(solution.t(), e.mean_input)).contiguous();
  const double* b = nn::values_of(intercept).data();
  return {.weights = weights, .intercept = {b, b + intercept.size(0)}};
}

/// Least squares of every step at once, with ridge as a share of the mean diagonal.
inline tensor solve_direct(const direct_equations& e, double ridge = 0) {
  auto matrix = e.matrix.clone();
  matrix.diagonal().add_(ridge * e.matrix.trace().item<double>() / static_cast<double>(e.matrix.size(0)));
  detail::fill_null_direction(matrix, e.centre);
  return nn::solve_factorised(detail::cholesky_with_ridge(matrix).lower, e.right);
}

/// The sum of squared errors of coefficients without intercept on the sample behind `e`, from its moments.
inline double direct_sse(const direct_equations& e, const tensor& solution) {
  const auto w = solution.t();  // [H, L], as it lies in memory
  return e.target_square.sum().item<double>() +
         at::mm(w, e.matrix).sub_(e.right.t(), 2).mul_(w).sum().item<double>();
}

}  // namespace fmsb::ar
