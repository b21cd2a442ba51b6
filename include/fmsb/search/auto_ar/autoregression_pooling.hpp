#pragma once
#include "fmsb/data/series.hpp"               // data::series
#include "fmsb/data/splits.hpp"               // train_part, validation_part
#include "fmsb/models/ar/difference.hpp"      // difference
#include "fmsb/models/ar/horizon_errors.hpp"  // for_each_horizon_error
#include "fmsb/models/ar/model.hpp"           // model
#include "fmsb/search/auto_ar/shrinkage.hpp"  // shrinkage, pooling_study

#include <algorithm>  // std::binary_search, std::max
#include <cstddef>    // std::size_t
#include <map>        // std::map
#include <optional>   // std::optional
#include <span>       // std::span
#include <utility>    // std::pair
#include <vector>     // std::vector

namespace fmsb::ar {

/// Autoregressions of one order, one a channel, without intercept, shrunk towards the pooled one. Differenced
/// values get no intercept: it is a drift, and a drift of the past, carried on for hundreds of steps, costs
/// more than it explains.
class pooled_autoregressions {
 public:
  /// @param rows  levels, standardised
  /// @throws collinear_lags where the lags of all channels together are collinear beyond repair
  pooled_autoregressions(const data::series& rows, std::size_t order, int differencing)
      : differencing_(differencing) {
    tensor mean_matrix, mean_right;
    for (std::size_t c = 0; c < rows.channels(); ++c) {
      const auto y = difference(detail::one_channel(rows, c), differencing);
      const auto g = gram_of(lag_moments::of(y, order));
      const auto n = g.second.size(0);
      matrix_.push_back(g.second.slice(0, 1, n).slice(1, 1, n).clone(at::MemoryFormat::Contiguous));
      right_.push_back(g.second.select(0, 0).slice(0, 1, n).unsqueeze(1).clone());
      mean_matrix = c == 0 ? matrix_[0].clone() : mean_matrix.add_(matrix_[c]);
      mean_right = c == 0 ? right_[0].clone() : mean_right.add_(right_[c]);
    }
    mean_matrix.div_(static_cast<double>(rows.channels()));
    mean_right.div_(static_cast<double>(rows.channels()));
    const auto lower = detail::cholesky_with_ridge(mean_matrix).lower;
    shrinkage_.emplace(mean_matrix, nn::solve_factorised(lower, mean_right));
  }

  std::size_t channels() const { return matrix_.size(); }

  /// The model of one channel. It is kept: horizons that choose the same strength share it.
  const model& fit(std::size_t channel, double strength) {
    auto& m = models_[{channel, strength}];
    if (m.coefficients.empty()) {
      const auto w = shrinkage_->solve(matrix_.at(channel), right_.at(channel), strength).contiguous();
      const auto b = nn::values_of(w);
      m = {.order = b.size(), .differencing = differencing_, .coefficients = {b.begin(), b.end()}};
    }
    return m;
  }

 private:
  int differencing_;
  std::vector<tensor> matrix_, right_;  // one a channel, [P, P] and [P, 1]
  std::optional<detail::shrinkage> shrinkage_;
  std::map<std::pair<std::size_t, double>, model> models_;
};

/// The steps whose errors are compared. Neighbouring steps have nearly equal errors: two dozen or so, evenly
/// spread and with the last among them, tell strengths apart as well as all do.
inline std::vector<std::size_t> compared_steps(std::size_t horizon) {
  const std::size_t stride = std::max<std::size_t>(1, horizon / 24);
  std::vector<std::size_t> steps;
  for (std::size_t h = (horizon - 1) % stride + 1; h <= horizon; h += stride) steps.push_back(h);
  return steps;
}

/// Chooses the strengths of `pooled_autoregressions`. The fits serve every horizon; only the choice looks
/// at one.
class autoregression_pooling {
 public:
  /// @param context  inputs of a window; the order is context - differencing
  autoregression_pooling(const data::train_part& train, const data::validation_part& validation,
                         std::size_t context, int differencing = 1)
      : context_(context) {
    pooled_autoregressions fitted(train.rows(), context - static_cast<std::size_t>(differencing),
                                  differencing);
    const auto held = validation.with_history(context);
    for (std::size_t c = 0; c < held.channels(); ++c) {
      validation_.push_back(detail::one_channel(held, c));
      models_.emplace_back();
      for (double s : kPoolingStrengths) models_.back().push_back(fitted.fit(c, s));
    }
  }

  /// The strength of each channel by its error on the validation part.
  pooling_study choose(std::size_t horizon) const {
    const auto steps = compared_steps(horizon);
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

}  // namespace fmsb::ar
