#pragma once
#include "fmsb/data/series.hpp"                  // data::series
#include "fmsb/data/splits.hpp"                  // train_part, validation_part
#include "fmsb/models/ar/difference.hpp"         // difference
#include "fmsb/models/ar/direct.hpp"             // direct_equations
#include "fmsb/models/ar/horizon_errors.hpp"     // for_each_horizon_error
#include "fmsb/models/ar/horizon_sse.hpp"        // window_grid
#include "fmsb/models/ar/linear_forecaster.hpp"  // linear_forecaster
#include "fmsb/models/ar/orders.hpp"             // detail::bordered

#include <algorithm>  // std::binary_search, std::min_element
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <vector>     // std::vector

/// Partial pooling: one common model, and each channel shrunk towards it by a strength that validation
/// chooses. Strength 0 is a model of the channel's own, infinity the common one. Everything is closed form.
namespace fmsb::ar {

/// The strengths that are tried for every channel.
inline constexpr std::array kPoolingStrengths{0.0, 0.03, 0.3,
                                              3.0, 30.0, std::numeric_limits<double>::infinity()};

/// What validation chose.
struct pooling_study {
  std::vector<double> strengths;       ///< one a channel
  std::vector<double> validation_mse;  ///< one a channel, of the chosen strength

  /// Records the least of one channel's errors, in the order of `kPoolingStrengths`.
  void add_least(const std::vector<double>& mse) {
    const auto least = std::min_element(mse.begin(), mse.end());
    strengths.push_back(kPoolingStrengths[static_cast<std::size_t>(least - mse.begin())]);
    validation_mse.push_back(*least);
  }
};

namespace detail {

/// Least squares of a channel with (M_c + s M) w = r_c + s M w0: the mean Gram matrix measures the distance
/// to the common solution w0.
inline tensor shrunk_solution(const tensor& own, const tensor& own_right, const tensor& common,
                              const tensor& common_times_w0, const tensor& w0, double strength) {
  if (strength == std::numeric_limits<double>::infinity()) return w0;
  if (strength == 0) return at::cholesky_solve(own_right, cholesky_with_ridge(own).lower);
  return at::cholesky_solve(own_right + common_times_w0 * strength,
                            cholesky_with_ridge(own + common * strength).lower);
}

inline data::series one_channel(const data::series& x, std::size_t c) {
  const std::array only{c};
  return x.select(only);
}

/// Normal equations of every channel's autoregression without intercept, and of the pooled one. Differenced
/// values get no intercept: it is a drift, and a drift of the past, carried on for hundreds of steps, costs
/// more than it explains.
struct driftless_channels {
  std::vector<tensor> matrix;  // [channels] of [P, P]
  std::vector<tensor> right;   // [channels] of [P, 1]
  tensor mean_matrix, mean_right, common;
  int differencing;

  driftless_channels(const data::series& rows, std::size_t order, int times) : differencing(times) {
    for (std::size_t c = 0; c < rows.channels(); ++c) {
      const auto g = gram_of(lag_moments::of(difference(one_channel(rows, c), times), order));
      const auto n = g.second.size(0);
      matrix.push_back(g.second.slice(0, 1, n).slice(1, 1, n).clone());
      right.push_back(g.second.select(0, 0).slice(0, 1, n).unsqueeze(1).clone());
      mean_matrix = c == 0 ? matrix[0].clone() : mean_matrix.add_(matrix[c]);
      mean_right = c == 0 ? right[0].clone() : mean_right.add_(right[c]);
    }
    mean_matrix.div_(static_cast<double>(rows.channels()));
    mean_right.div_(static_cast<double>(rows.channels()));
    common = at::cholesky_solve(mean_right, cholesky_with_ridge(mean_matrix).lower);
  }

  model solve(std::size_t c, double strength) const {
    const auto w = shrunk_solution(matrix[c], right[c], mean_matrix, mean_right, common, strength)
                       .reshape({-1})
                       .contiguous();
    const double* b = nn::values_of(w).data();
    const auto order = static_cast<std::size_t>(w.size(0));
    return {.order = order, .differencing = differencing, .coefficients = {b, b + order}};
  }
};

/// The steps whose errors are compared. Neighbouring steps have nearly equal errors: two dozen or so, evenly
/// spread and with the last among them, tell strengths apart as well as all do.
inline std::vector<std::size_t> compared_steps(std::size_t horizon) {
  const std::size_t stride = std::max<std::size_t>(1, horizon / 24);
  std::vector<std::size_t> steps;
  for (std::size_t h = (horizon - 1) % stride + 1; h <= horizon; h += stride) steps.push_back(h);
  return steps;
}

inline direct_equations direct_equations_of_channel(const data::series& rows, std::size_t c, window_grid grid,
                                                    const std::vector<std::size_t>& steps) {
  return direct_equations_of(gram_of(lag_moments::of(one_channel(rows, c), grid.context + grid.horizon - 1)),
                             grid.context, grid.horizon, {window_centring::window_mean, false}, steps);
}

/// The same for direct regressions of windows centred by their mean. The pooled solution has a ridge of a
/// hundredth of the mean diagonal.
struct direct_channels {
  std::vector<direct_equations> equations;
  direct_equations mean;
  tensor common, mean_times_common;

  direct_channels(const data::series& rows, window_grid grid, const std::vector<std::size_t>& steps) {
    for (std::size_t c = 0; c < rows.channels(); ++c) {
      auto own = direct_equations_of_channel(rows, c, grid, steps);
      if (c == 0) {
        mean = own;
        mean.matrix = own.matrix.clone();
        mean.right = own.right.clone();
      } else {
        mean.matrix.add_(own.matrix);
        mean.right.add_(own.right);
      }
      equations.push_back(std::move(own));
    }
    mean.matrix.div_(static_cast<double>(rows.channels()));
    mean.right.div_(static_cast<double>(rows.channels()));
    common = solve_direct(mean, 0.01);
    mean_times_common = at::mm(mean.matrix, common);
  }

  tensor solve(std::size_t c, double strength) const {
    return shrunk_solution(with_null_direction(equations[c].matrix, equations[c].centre), equations[c].right,
                           mean.matrix, mean_times_common, common, strength);
  }
};

}  // namespace detail

/// Autoregressions of one order, one a channel, shrunk towards the pooled one with the given strengths.
///
/// @param rows       levels, standardised
/// @param strengths  one a channel
inline std::vector<model> fit_pooled_autoregressions(const data::series& rows, std::size_t order,
                                                     int differencing, const std::vector<double>& strengths) {
  const detail::driftless_channels channels(rows, order, differencing);
  std::vector<model> models;
  for (std::size_t c = 0; c < rows.channels(); ++c) models.push_back(channels.solve(c, strengths.at(c)));
  return models;
}

/// Direct regressions of every step, one a channel, shrunk towards a pooled ridge regression.
inline linear_forecaster fit_pooled_direct(const data::series& rows, window_grid grid,
                                           const std::vector<double>& strengths) {
  const detail::direct_channels channels(rows, grid, {});
  linear_forecaster out;
  for (std::size_t c = 0; c < rows.channels(); ++c)
    out.channels.push_back(to_linear_map(channels.equations[c], channels.solve(c, strengths.at(c))));
  return out;
}

/// Chooses the strengths of `fit_pooled_autoregressions`. The fits serve every horizon; only the choice looks
/// at one.
class autoregression_pooling {
 public:
  /// @param context  inputs of a window; the order is context - differencing
  autoregression_pooling(const data::train_part& train, const data::validation_part& validation,
                         std::size_t context, int differencing = 1)
      : context_(context) {
    const detail::driftless_channels channels(train.rows(), context - static_cast<std::size_t>(differencing),
                                              differencing);
    const auto held = validation.with_history(context);
    for (std::size_t c = 0; c < held.channels(); ++c) {
      validation_.push_back(detail::one_channel(held, c));
      models_.emplace_back();
      for (double s : kPoolingStrengths) models_.back().push_back(channels.solve(c, s));
    }
  }

  /// The strength of each channel by its error on the validation part.
  pooling_study choose(std::size_t horizon) const {
    const auto steps = detail::compared_steps(horizon);
    pooling_study study;
    for (std::size_t c = 0; c < models_.size(); ++c) {
      std::vector<double> mse;
      for (const auto& candidate : models_[c]) {
        double sum = 0, count = 0;
        for_each_horizon_error(candidate, validation_[c], context_, horizon,
                               [&](std::size_t, std::size_t step, std::span<const double> errors) {
                                 if (!std::binary_search(steps.begin(), steps.end(), step)) return;
                                 sum += sums_of(errors).squared;
                                 count += static_cast<double>(errors.size());
                               });
        mse.push_back(sum / count);
      }
      study.add_least(mse);
    }
    return study;
  }

 private:
  std::size_t context_;
  std::vector<data::series> validation_;    // one a channel, with history
  std::vector<std::vector<model>> models_;  // [channels][strengths], fitted on train
};

/// Chooses the strengths of `fit_pooled_direct` by the error on the validation part, read off its Gram
/// matrix.
inline pooling_study choose_direct_pooling(const data::train_part& train,
                                           const data::validation_part& validation, window_grid grid) {
  const auto steps = detail::compared_steps(grid.horizon);
  const detail::direct_channels fitted(train.rows(), grid, steps);
  const auto held = validation.with_history(grid.context);
  pooling_study study;
  for (std::size_t c = 0; c < held.channels(); ++c) {
    const auto target = detail::direct_equations_of_channel(held, c, grid, steps);
    std::vector<double> mse;
    for (double s : kPoolingStrengths)
      mse.push_back(direct_sse(target, fitted.solve(c, s)) /
                    (target.samples * static_cast<double>(steps.size())));
    study.add_least(mse);
  }
  return study;
}

}  // namespace fmsb::ar
