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
  const auto cross = g.second.slice(0, h, h + l).index_select(1, targets);
  const auto squares = g.second.diagonal().index_select(0, targets);
  const auto input_sum = g.first.slice(0, h, h + l);
  const auto target_sum = g.first.index_select(0, targets);

  e.centre = doubles(context);
  if (form.centre == window_centring::last_value) e.centre[0] = 1;
  if (form.centre == window_centring::window_mean) e.centre.fill_(1.0 / static_cast<double>(context));
  auto level = doubles(1).select(0, 0);
  if (form.centre == window_centring::none) {
    e.matrix = inputs.clone();
    e.right = cross.clone();
    e.target_square = squares.clone();
  } else {
    const auto ga = at::mv(inputs, e.centre);                  // [L]
    const auto ba = at::mv(cross.t(), e.centre);               // [H], a'B
    const auto aga = ga.dot(e.centre);                         // a'Ga
    const auto shift = aga - ga;                               // [L]
    e.matrix = inputs - ga.unsqueeze(0) + shift.unsqueeze(1);  // G - 1(Ga)' - (Ga)1' + (a'Ga)11'
    e.right = cross - ba.unsqueeze(0) + shift.unsqueeze(1);    // (I - 1a')(B - Ga 1')
    e.target_square = squares - ba * 2 + aga;
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
/// Fills the one direction in which centred inputs never vary, so that the factorisation exists; the solution
/// has no part in it.
inline tensor with_null_direction(tensor matrix, const tensor& centre) {
  const double norm = centre.dot(centre).item<double>();
  if (norm > 0) {
    const double mean = matrix.trace().item<double>() / static_cast<double>(matrix.size(0));
    matrix = matrix.addr(centre, centre, 1, mean / norm);
  }
  return matrix;
}
}  // namespace detail

/// Centred coefficients back to a map on levels: weights a + (I - a 1') w, intercept from the means.
inline linear_map to_linear_map(const direct_equations& e, const tensor& solution) {
  const auto total = solution.sum(0);  // [H]
  const bool centred = e.centre.any().item<bool>();
  auto weights = solution.t().contiguous();  // [H, L]
  if (centred) weights = weights + (1 - total).outer(e.centre);
  const auto intercept = (e.mean_target - at::mv(solution.t(), e.mean_input)).contiguous();
  const double* b = nn::values_of(intercept).data();
  return {.weights = weights.contiguous(), .intercept = {b, b + intercept.size(0)}};
}

/// Least squares of every step at once, with ridge as a share of the mean diagonal.
inline tensor solve_direct(const direct_equations& e, double ridge = 0) {
  auto matrix = detail::with_null_direction(e.matrix, e.centre);
  if (ridge > 0) {
    matrix = matrix.clone();
    matrix.diagonal().add_(ridge * e.matrix.trace().item<double>() / static_cast<double>(e.matrix.size(0)));
  }
  return at::cholesky_solve(e.right, detail::cholesky_with_ridge(matrix).lower);
}

/// The sum of squared errors of coefficients without intercept on the sample behind `e`, from its moments.
inline double direct_sse(const direct_equations& e, const tensor& solution) {
  return e.target_square.sum().item<double>() +
         (at::mm(e.matrix, solution) - e.right * 2).mul_(solution).sum().item<double>();
}

}  // namespace fmsb::ar
