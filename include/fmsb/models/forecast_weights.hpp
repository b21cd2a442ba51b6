#pragma once
#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/core/extent.hpp"   // index_t
#include "fmsb/nn/operation.hpp"  // operation, apply_operation

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::models {

namespace detail {

/// Rows of the forecast matrix by the companion recursion, each from the one above, oldest level first:
///
///     w_1 = a,   w_{h+1} = psi_h a + shift(w_h),   psi_h = last element of w_h
///
/// where shift moves every weight to the next newer level. O(horizon x memory) forwards and backwards;
/// the same matrix as a product of differentiable operations costs a horizon-fold more.
struct forecast_rows final : nn::operation {
  tensor forward(const tensor& newest_last, index_t horizon) {
    const tensor a = newest_last.to(at::kCPU, at::kDouble).contiguous();
    const auto memory = static_cast<std::size_t>(a.size(0)), steps = static_cast<std::size_t>(horizon);
    tensor rows = at::empty({horizon, a.size(0)}, a.options());
    const std::span level = nn::values_of(a), weight = nn::values_of(rows);
    for (std::size_t i = 0; i < memory; ++i) weight[i] = level[i];
    for (std::size_t h = 1; h < steps; ++h) {
      const double* above = &weight[(h - 1) * memory];
      double* row = &weight[h * memory];
      const double psi = above[memory - 1];
      row[0] = psi * level[0];
      for (std::size_t i = 1; i < memory; ++i) row[i] = psi * level[i] + above[i - 1];
    }
    keep({a, rows.select(1, a.size(0) - 1).clone()});
    return rows.to(newest_last.options());
  }

  /// The recursion run backwards: each row hands its sensitivity to the row above.
  std::vector<tensor> gradients(const tensor& given) override {
    if (at::GradMode::is_enabled())
      throw usage_error(
          "fmsb::models::forecast_weights has first derivatives only, but a gradient was asked for with "
          "create_graph. Iterate the one-step forecast instead, which has derivatives of every order.");
    const auto [saved_level, saved_psi] = kept<2>();
    const tensor sensitivity = given.to(at::kCPU, at::kDouble).contiguous();
    const auto memory = static_cast<std::size_t>(sensitivity.size(1));
    const std::span level = nn::values_of(saved_level), psi = nn::values_of(saved_psi),
                    of_rows = nn::values_of(sensitivity);
    std::vector<double> adjoint(of_rows.end() - static_cast<std::ptrdiff_t>(memory), of_rows.end());
    tensor gradient = at::zeros({sensitivity.size(1)}, sensitivity.options());
    const std::span slope = nn::values_of(gradient);
    for (auto h = static_cast<std::size_t>(sensitivity.size(0)); h-- > 1;) {
      double through_psi = 0;
      for (std::size_t i = 0; i < memory; ++i) through_psi += level[i] * adjoint[i];
      for (std::size_t i = 0; i < memory; ++i) slope[i] += psi[h - 1] * adjoint[i];
      const double* row = &of_rows[(h - 1) * memory];
      for (std::size_t i = 0; i + 1 < memory; ++i) adjoint[i] = row[i] + adjoint[i + 1];
      adjoint[memory - 1] = row[memory - 1] + through_psi;
    }
    for (std::size_t i = 0; i < memory; ++i) slope[i] += adjoint[i];
    return {gradient.to(given.options())};
  }
};

}  // namespace detail

/// The matrix that turns the last levels of a series into its autoregressive forecasts: row h-1 holds
/// the weights of the h-step forecast, so that iterating the model becomes one product,
/// `at::linear(last_levels, forecast_weights(...))`.
///
/// The last column is the impulse response psi_1 .. psi_horizon (Box, Jenkins et al., Time Series
/// Analysis, 5.2: "weights applied to previous observations").
///
/// @param levels   [memory], coefficients on levels, lag 1 first; differentiable, twice only for horizon 1
/// @param horizon  steps ahead, from 1
/// @return [horizon, memory], oldest level first, of the type and on the device of `levels`; computed in
///         double on the CPU
/// @throws usage_error if `levels` is not a vector with at least one element, or `horizon` < 1
inline tensor forecast_weights(const tensor& levels, index_t horizon) {
  if (levels.dim() != 1 || levels.size(0) < 1 || horizon < 1)
    throw usage_error(
        "fmsb::models::forecast_weights needs at least one coefficient in a vector and a horizon from 1; "
        "got a tensor of " +
        std::to_string(levels.dim()) + " dimensions with " + std::to_string(levels.numel()) +
        " elements and the horizon " + std::to_string(horizon) + ".");
  const tensor oldest_first = levels.flip(0);
  if (horizon == 1) return oldest_first.unsqueeze(0);
  return nn::apply_operation(nn::make_operation<detail::forecast_rows>(), {oldest_first},
                             [&](auto& node) { return node.forward(oldest_first, horizon); });
}

}  // namespace fmsb::models
