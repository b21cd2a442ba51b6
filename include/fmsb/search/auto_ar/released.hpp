#pragma once
#include "fmsb/data/series.hpp"                  // concatenate
#include "fmsb/data/splits.hpp"                  // train_part, validation_part
#include "fmsb/models/ar/criteria.hpp"           // released_criterion
#include "fmsb/models/ar/fit.hpp"                // fit
#include "fmsb/models/ar/horizon_sse.hpp"        // horizon_scorer
#include "fmsb/search/auto_ar/stationarity.hpp"  // differences_by_kpss
#include "fmsb/search/auto_ar/verdict.hpp"       // verdict

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <vector>     // std::vector

/// The rule of the program released with "Specialized Foundation Models Struggle to Beat Supervised
/// Baselines" (Xu et al., ICLR 2025), to the letter: its fit set, its unit-root rule, its score.
namespace fmsb::ar {

/// Train followed by validation with its `context` rows of history: those rows stand twice, with a jump
/// between.
inline data::series released_fit_set(const data::train_part& train, const data::validation_part& validation,
                                     std::size_t context) {
  return data::concatenate(train.rows(), validation.with_history(std::min(context, validation.first())));
}

/// The lookbacks that the released program tries.
inline std::vector<std::size_t> released_orders() { return {64, 96, 128, 192}; }

/// Scores every order on the windows of the fit set itself, ln(MSE) + (p+1) ln(N) / N with N the number of
/// errors: with so many errors the penalty is next to nothing, and the longest lookback wins as a rule.
///
/// @param differencing_cap  differences by KPSS, at most so many; the released program stops at 2
/// @throws usage_error where no window fits
inline verdict released_rule(const data::train_part& train, const data::validation_part& validation,
                             window_grid grid, const std::vector<std::size_t>& orders, int differencing_cap) {
  const auto rows = released_fit_set(train, validation, grid.context);
  score_table table{.differencing = differences_by_kpss(rows, differencing_cap), .orders = {}, .scores = {}};
  for (const auto order : orders) {
    if (order + static_cast<std::size_t>(table.differencing) > grid.context) continue;
    const horizon_scorer scorer(rows, grid, table.differencing, order);
    const double mse = scorer.mse(fit(rows, order, table.differencing));
    table.orders.push_back(order);
    table.scores.push_back(released_criterion(mse, order, scorer.errors()));
  }
  return {.criterion = "in-sample BIC of the released program",
          .chosen = best_of(table),
          .tables = {table},
          .remark = {}};
}

}  // namespace fmsb::ar
