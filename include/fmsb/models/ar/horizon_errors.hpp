#pragma once
#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/core/isa.hpp"             // isa::run
#include "fmsb/data/series.hpp"          // data::series
#include "fmsb/models/ar/correlate.hpp"  // correlate
#include "fmsb/models/ar/model.hpp"      // model

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::ar {

/// One-step residuals e(t) = x(t) - intercept - sum_i phi*_i x(t-i) for t = memory .. x.size(): shorter than
/// `x` by the model's memory.
inline std::vector<double> one_step_residuals(const model& m, std::span<const double> x) {
  const auto levels = level_coefficients(m);
  const std::size_t q = levels.size();
  if (x.size() < q) return {};
  std::vector<double> weights(q + 1, 1.0);  // the filter reads oldest first
  for (std::size_t i = 0; i < q; ++i) weights[i] = -levels[q - 1 - i];
  std::vector<double> residuals(x.size() - q, -m.intercept);
  correlate(residuals, weights, x.data());
  return residuals;
}

/// Sums of squared and absolute errors at one step ahead.
struct error_sums {
  double squared = 0;
  double absolute = 0;
};

namespace detail {

struct extend_errors_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(double* error, const double* residual, std::size_t count, double psi) {
    for (std::size_t s = 0; s < count; ++s) error[s] += psi * residual[s];
  }
};

struct error_sums_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(error_sums* out, const double* error, std::size_t count) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    vec squared[2] = {}, absolute[2] = {};
    std::size_t s = 0;
    for (; s + 2 * Lanes <= count; s += 2 * Lanes)
      for (int k = 0; k < 2; ++k) {
        const vec e = *reinterpret_cast<const loose*>(error + s + static_cast<std::size_t>(k * Lanes));
        squared[k] += e * e;
        absolute[k] += e < 0 ? -e : e;
      }
    double sq = 0, ab = 0;
    for (int i = 0; i < Lanes; ++i)
      sq += squared[0][i] + squared[1][i], ab += absolute[0][i] + absolute[1][i];
    for (; s < count; ++s) sq += error[s] * error[s], ab += error[s] < 0 ? -error[s] : error[s];
    out->squared += sq;
    out->absolute += ab;
  }
};

}  // namespace detail

/// Squared and absolute sum of one stretch of errors.
inline error_sums sums_of(std::span<const double> errors) {
  error_sums out;
  isa::run<detail::error_sums_kernel>(&out, errors.data(), errors.size());
  return out;
}

/// Calls `visit(channel, step, errors)` with the forecast errors of every stride-1 window, for each channel
/// and each step 1..horizon; `errors[w]` belongs to the window whose inputs end at row `context - 1 + w`.
///
/// Forecast updating: the error at step h is the error at step h-1 for the same target plus
/// psi_{h-1} times one residual, E_h(s) = E_{h-1}(s) + psi_{h-1} e(s-h+1): 2 flops an error, no window
/// and no forecast is ever formed (Box, Jenkins et al., Time Series Analysis, 5.2). The forecast itself is
/// target minus error.
///
/// @param x        levels; each window reads `context` rows and is scored on the `horizon` rows after
/// @param context  at least the model's memory
/// @throws usage_error when the context is shorter than the model's memory or no window fits
template <class Visit>
void for_each_horizon_error(const model& m, const data::series& x, std::size_t context, std::size_t horizon,
                            Visit&& visit) {
  if (context < m.memory())
    throw usage_error("fmsb::ar: a model of order " + std::to_string(m.order) + " on " +
                      std::to_string(m.differencing) + " times differenced values reads " +
                      std::to_string(m.memory()) + " rows; the context has " + std::to_string(context) + ".");
  if (horizon == 0 || x.length() < context + horizon)
    throw usage_error("fmsb::ar: " + std::to_string(x.length()) + " rows hold no window of " +
                      std::to_string(context) + " inputs and " + std::to_string(horizon) + " targets.");
  const std::size_t windows = x.length() - context - horizon + 1;
  const std::size_t span = windows + horizon - 1;  // targets from the first window's first on
  const auto psi = impulse_response(m, horizon);
  std::vector<double> error(span);
  for (std::size_t c = 0; c < x.channels(); ++c) {
    const auto residual = one_step_residuals(m, x.channel(c).subspan(context - m.memory()));
    std::fill(error.begin(), error.end(), 0.0);
    for (std::size_t h = 1; h <= horizon; ++h) {
      // Target s = h-1+w belongs to window w; targets past the last window still feed later steps.
      isa::run<detail::extend_errors_kernel>(error.data() + h - 1, residual.data(), span - (h - 1),
                                             psi[h - 1]);
      visit(c, h, std::span<const double>(error).subspan(h - 1, windows));
    }
  }
}

}  // namespace fmsb::ar
