#pragma once
#include "fmsb/data/splits.hpp"               // part
#include "fmsb/evaluate/forecasting.hpp"      // error_accumulator
#include "fmsb/models/ar/horizon_errors.hpp"  // for_each_horizon_error, sums_of
#include "fmsb/models/ar/horizon_sse.hpp"     // window_grid

#include <cstddef>  // std::size_t
#include <span>     // std::span

namespace fmsb::ar {

/// Errors of a forecaster over every stride-1 window whose targets lie within `rows`; inputs of the first
/// window reach `grid.context` rows back before the part.
///
/// @tparam Forecaster  `model`, `linear_forecaster`, or anything with a `for_each_horizon_error`
/// @throws usage_error when the part has too little history or too few rows for one window
template <class Forecaster, data::role R>
metrics::forecast_errors score(const Forecaster& m, const data::part<R>& rows, window_grid grid) {
  metrics::error_accumulator errors(grid.horizon);
  for_each_horizon_error(m, rows.with_history(grid.context), grid.context, grid.horizon,
                         [&](std::size_t, std::size_t step, std::span<const double> of_step) {
                           const auto sums = sums_of(of_step);
                           errors.add_sums(step - 1, {.squares = sums.squared,
                                                      .sizes = sums.absolute,
                                                      .count = static_cast<double>(of_step.size())});
                         });
  return errors.result();
}

}  // namespace fmsb::ar
