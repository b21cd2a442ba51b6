#pragma once
#include "fmsb/core/error.hpp"                             // usage_error
#include "fmsb/data/series.hpp"                            // data::series
#include "fmsb/data/splits.hpp"                            // train_part, validation_part
#include "fmsb/models/ar/direct.hpp"                       // direct_equations
#include "fmsb/models/ar/horizon_sse.hpp"                  // window_grid
#include "fmsb/models/ar/linear_forecaster.hpp"            // linear_forecaster
#include "fmsb/search/auto_ar/autoregression_pooling.hpp"  // compared_steps
#include "fmsb/search/auto_ar/shrinkage.hpp"               // shrinkage, pooling_study

#include <algorithm>  // std::lower_bound, std::max_element
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

namespace detail {
inline direct_equations direct_equations_of_channel(const data::series& rows, std::size_t c, window_grid grid,
                                                    const std::vector<std::size_t>& steps) {
  auto e =
      direct_equations_of(gram_of(lag_moments::of(one_channel(rows, c), grid.context + grid.horizon - 1)),
                          grid.context, grid.horizon, {window_centring::window_mean, false}, steps);
  fill_null_direction(e.matrix, e.centre);
  return e;
}
}  // namespace detail

/// Direct regressions of every step on windows centred by their mean, one a channel, without intercept,
/// shrunk towards a pooled one with a ridge of a hundredth of the mean diagonal.
class pooled_direct {
 public:
  /// @param rows   levels, standardised
  /// @param steps  the steps ahead that are wanted; all when empty
  pooled_direct(const data::series& rows, window_grid grid, const std::vector<std::size_t>& steps = {}) {
    direct_equations mean;
    for (std::size_t c = 0; c < rows.channels(); ++c) {
      auto own = detail::direct_equations_of_channel(rows, c, grid, steps);
      if (c == 0) {
        mean = own;
        mean.matrix = own.matrix.clone();
        mean.right = own.right.clone();
      } else {
        mean.matrix.add_(own.matrix);
        mean.right.add_(own.right);
      }
      equations_.push_back(std::move(own));
    }
    mean.matrix.div_(static_cast<double>(rows.channels()));
    mean.right.div_(static_cast<double>(rows.channels()));
    shrinkage_.emplace(mean.matrix, solve_direct(mean, 0.01));
  }

  std::size_t channels() const { return equations_.size(); }

  /// The coefficients of one channel, [context, steps].
  tensor solve(std::size_t channel, double strength) {
    const auto& e = equations_.at(channel);
    return shrinkage_->solve(e.matrix, e.right, strength);
  }

  /// The same as a map on levels.
  linear_map fit(std::size_t channel, double strength) {
    return to_linear_map(equations_.at(channel), solve(channel, strength));
  }

 private:
  std::vector<direct_equations> equations_;  // one a channel
  std::optional<detail::shrinkage> shrinkage_;
};

/// Chooses the strengths of `pooled_direct` for several horizons by the error on the validation part, read
/// off its Gram matrix. The candidates are fitted on windows with room for the longest horizon, so that one
/// factorisation of each serves all horizons; every horizon is then judged on all of its own validation
/// windows.
class direct_pooling {
 public:
  /// @param horizons  every horizon that `choose` will be asked for
  direct_pooling(const data::train_part& train, data::validation_part validation, std::size_t context,
                 const std::vector<std::size_t>& horizons)
      : held_(validation.with_history(context)), context_(context) {
    if (horizons.empty()) throw usage_error("fmsb::ar::direct_pooling: no horizon was given.");
    longest_ = *std::max_element(horizons.begin(), horizons.end());
    for (const auto horizon : horizons)
      for (const auto step : compared_steps(horizon)) steps_.push_back(step);
    std::sort(steps_.begin(), steps_.end());
    steps_.erase(std::unique(steps_.begin(), steps_.end()), steps_.end());

    pooled_direct fitted(train.rows(), {context, longest_}, steps_);
    for (std::size_t c = 0; c < fitted.channels(); ++c) {
      candidates_.emplace_back();
      for (const double s : kPoolingStrengths) candidates_.back().push_back(fitted.solve(c, s));
    }
  }

  /// The strength of each channel.
  /// @throws usage_error for a horizon that the constructor was not told of and whose steps no other has
  pooling_study choose(std::size_t horizon) const {
    const auto steps = compared_steps(horizon);
    std::vector<std::int64_t> columns;
    for (const auto step : steps) {
      const auto at = std::lower_bound(steps_.begin(), steps_.end(), step);
      if (at == steps_.end() || *at != step)
        throw usage_error("fmsb::ar::direct_pooling::choose: horizon " + std::to_string(horizon) +
                          " is not among those that were given to the constructor.");
      columns.push_back(at - steps_.begin());
    }
    const auto wanted =
        at::from_blob(columns.data(), {static_cast<std::int64_t>(columns.size())}, at::kLong).clone();
    pooling_study study;
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      const auto target = detail::direct_equations_of_channel(held_, c, {context_, horizon}, steps);
      std::vector<double> mse;
      for (const auto& solution : candidates_[c])
        mse.push_back(direct_sse(target, solution.t().index_select(0, wanted).t()) /
                      (target.samples * static_cast<double>(steps.size())));
      study.add_least(mse);
    }
    return study;
  }

 private:
  data::series held_;  // validation with history
  std::size_t context_, longest_ = 0;
  std::vector<std::size_t> steps_;               // compared at any horizon, ascending
  std::vector<std::vector<tensor>> candidates_;  // [channels][strengths] of [context, steps], fitted on train
};

}  // namespace fmsb::ar
