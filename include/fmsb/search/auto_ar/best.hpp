#pragma once
#include "fmsb/search/auto_ar/autoregression_pooling.hpp"  // autoregression_pooling
#include "fmsb/search/auto_ar/direct_pooling.hpp"          // direct_pooling

#include <cstddef>   // std::size_t
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

namespace fmsb::ar {

/// Which of the two partially pooled forecasts.
enum class pooled_forecast { autoregression, direct, average };

/// The strengths that validation chose for both halves at one horizon.
struct best_study {
  window_grid grid;
  pooled_forecast which = pooled_forecast::average;
  pooling_study autoregression, direct;
};

/// The preset `best`: an autoregression on differences and a direct regression on centred windows, each
/// with every channel's model shrunk towards the common one, and the plain average of their forecasts.
class best_search {
 public:
  /// @param horizons  every horizon that `choose` will be asked for; together they cost little more than the
  ///                  longest alone
  best_search(const data::train_part& train, const data::validation_part& validation, std::size_t context,
              const std::vector<std::size_t>& horizons, pooled_forecast which = pooled_forecast::average)
      : context_(context), which_(which) {
    if (which != pooled_forecast::direct) autoregressions_.emplace(train, validation, context);
    if (which != pooled_forecast::autoregression) direct_.emplace(train, validation, context, horizons);
  }

  best_study choose(std::size_t horizon) const {
    best_study study{.grid = {context_, horizon}, .which = which_, .autoregression = {}, .direct = {}};
    if (autoregressions_) study.autoregression = autoregressions_->choose(horizon);
    if (direct_) study.direct = direct_->choose(horizon);
    return study;
  }

 private:
  std::size_t context_;
  pooled_forecast which_;
  std::optional<autoregression_pooling> autoregressions_;
  std::optional<direct_pooling> direct_;
};

/// Fits what studies of one context chose on the same rows. The autoregressions do not depend on the horizon
/// and are fitted once.
class best_fit {
 public:
  /// @param rows  levels, standardised: train, or train and validation together
  best_fit(data::series rows, std::size_t context) : rows_(std::move(rows)), context_(context) {}

  /// One linear map a channel.
  linear_forecaster operator()(const best_study& study) {
    linear_forecaster out;
    if (study.which != pooled_forecast::direct) {
      if (!autoregressions_) autoregressions_.emplace(rows_, context_ - 1, 1);
      for (std::size_t c = 0; c < rows_.channels(); ++c)
        out.channels.push_back(to_linear_map(autoregressions_->fit(c, study.autoregression.strengths.at(c)),
                                             context_, study.grid.horizon));
    }
    if (study.which == pooled_forecast::autoregression) return out;
    pooled_direct stepwise(rows_, {context_, study.grid.horizon});
    for (std::size_t c = 0; c < rows_.channels(); ++c) {
      auto map = stepwise.fit(c, study.direct.strengths.at(c));
      if (study.which == pooled_forecast::direct)
        out.channels.push_back(std::move(map));
      else
        out.channels[c] = average(out.channels[c], map);
    }
    return out;
  }

 private:
  data::series rows_;
  std::size_t context_;
  std::optional<pooled_autoregressions> autoregressions_;
};

}  // namespace fmsb::ar
