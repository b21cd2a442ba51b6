#pragma once
#include "fmsb/search/auto_ar/partial_pooling.hpp"  // fit_pooled_autoregressions, fit_pooled_direct

#include <cstddef>   // std::size_t
#include <optional>  // std::optional
#include <utility>   // std::move

namespace fmsb::ar {

/// Which of the two partially pooled forecasts.
enum class pooled_forecast { autoregression, direct, average };

/// The strengths that validation chose for both halves at one horizon.
struct best_study {
  window_grid grid;
  pooled_forecast which = pooled_forecast::average;
  pooling_study autoregression, direct;

  /// One linear map a channel, fitted on `rows` (levels).
  linear_forecaster fit(const data::series& rows) const {
    linear_forecaster iterated, stepwise;
    if (which != pooled_forecast::direct)
      for (const auto& m : fit_pooled_autoregressions(rows, grid.context - 1, 1, autoregression.strengths))
        iterated.channels.push_back(to_linear_map(m, grid.context, grid.horizon));
    if (which == pooled_forecast::autoregression) return iterated;
    stepwise = fit_pooled_direct(rows, grid, direct.strengths);
    if (which == pooled_forecast::direct) return stepwise;
    for (std::size_t c = 0; c < iterated.channels.size(); ++c)
      iterated.channels[c] = average(iterated.channels[c], stepwise.channels[c]);
    return iterated;
  }
};

/// The preset `best`: an autoregression on differences and a direct regression on centred windows, each
/// with every channel's model shrunk towards the common one, and the plain average of their forecasts.
class best_search {
 public:
  best_search(data::train_part train, data::validation_part validation, std::size_t context,
              pooled_forecast which = pooled_forecast::average)
      : train_(std::move(train)), validation_(std::move(validation)), context_(context), which_(which) {
    if (which != pooled_forecast::direct) autoregressions_.emplace(train_, validation_, context);
  }

  best_study choose(std::size_t horizon) const {
    best_study study{.grid = {context_, horizon}, .which = which_, .autoregression = {}, .direct = {}};
    if (autoregressions_) study.autoregression = autoregressions_->choose(horizon);
    if (which_ != pooled_forecast::autoregression)
      study.direct = choose_direct_pooling(train_, validation_, study.grid);
    return study;
  }

 private:
  data::train_part train_;
  data::validation_part validation_;
  std::size_t context_;
  pooled_forecast which_;
  std::optional<autoregression_pooling> autoregressions_;
};

}  // namespace fmsb::ar
