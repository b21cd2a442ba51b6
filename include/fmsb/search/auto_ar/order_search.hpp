#pragma once
#include "fmsb/data/splits.hpp"                     // train_part, validation_part
#include "fmsb/models/ar/criteria.hpp"              // information criteria
#include "fmsb/models/ar/fit.hpp"                   // fit
#include "fmsb/search/auto_ar/order_space.hpp"      // order_space
#include "fmsb/search/auto_ar/released.hpp"         // released_rule
#include "fmsb/search/auto_ar/rolling_origins.hpp"  // rolling_origins
#include "fmsb/search/auto_ar/stationarity.hpp"     // is_stationary
#include "fmsb/search/auto_ar/verdict.hpp"          // verdict

#include <algorithm>  // std::min, std::find
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <map>        // std::map
#include <optional>   // std::optional
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

/// Chooses lookback and differencing of a pooled autoregression. Fits are shared: another horizon or
/// criterion costs its scores only. The test part is not an argument, so no criterion can look at it.
class order_search {
 public:
  order_search(data::train_part train, data::validation_part validation, order_space space,
               std::size_t context = 512, origin_plan plan = {})
      : train_(std::move(train)),
        validation_(std::move(validation)),
        space_(std::move(space)),
        context_(context),
        plan_(plan),
        rows_(train_.whole().slice(train_.first(), validation_.last())) {
    if (space_.orders.empty() || space_.differencing.empty())
      throw usage_error("Auto-AR: the search space holds no order or no differencing.");
  }

  /// Train and validation together.
  const data::series& rows() const { return rows_; }

  /// Mean log MSE over rolling origins: the default.
  ///
  /// One difference is the prior, for a series whose level shifts is forecast badly by a model of levels, and
  /// a handful of origins need not show it. Levels (d = 0) are taken only where every channel passes the KPSS
  /// test around a constant and the origins prefer them by more than one standard error. Orders stay below a
  /// quarter of the rows before the first origin.
  verdict rolling(std::size_t horizon) {
    const auto origins = origin_rows(rows_.length(), horizon, plan_);
    const auto block =
        std::max(static_cast<std::size_t>(static_cast<double>(rows_.length()) * plan_.block), horizon);
    const std::size_t guard = std::max<std::size_t>(1, origins.front() / 4);
    verdict v{.criterion = std::to_string(origins.size()) + " rolling origins",
              .chosen = {},
              .tables = {},
              .remark = {}};
    std::vector<std::vector<double>> at_best;  // [differencing][origins]
    for (const int d : space_.differencing) {
      const auto orders = space_.up_to(std::min(context_ - static_cast<std::size_t>(d), guard));
      auto& fits = rolling_.try_emplace({d, origins}, rows_, origins, d, orders.back()).first->second;
      const auto scores =
          fits.log_mse(orders, {context_, horizon}, std::min(block, rows_.length() - origins.back()));
      score_table table{
          .differencing = d, .orders = orders, .scores = std::vector<double>(orders.size(), 0.0)};
      for (const auto& of_origin : scores)
        for (std::size_t i = 0; i < orders.size(); ++i)
          table.scores[i] += of_origin[i] / static_cast<double>(scores.size());
      const auto best = best_of(table);
      const auto at =
          static_cast<std::size_t>(std::find(orders.begin(), orders.end(), best.order) - orders.begin());
      at_best.emplace_back();
      for (const auto& of_origin : scores) at_best.back().push_back(of_origin[at]);
      v.tables.push_back(std::move(table));
    }
    const std::size_t prior = index_of(1).value_or(0);
    v.chosen = best_of(v.tables[prior]);
    if (const auto levels = index_of(0); levels && *levels != prior) {
      const auto [gain, error] = mean_difference(at_best[prior], at_best[*levels]);
      if (!stationary())
        v.remark = "d = 1: a channel fails the KPSS test for a constant level";
      else if (gain > error)
        v.chosen = best_of(v.tables[*levels]),
        v.remark = "d = 0: all channels pass the KPSS test for a constant level, and the origins prefer it";
      else
        v.remark = "d = 1: the origins do not prefer levels by more than one standard error";
    }
    if (guard < context_)
      v.remark += (v.remark.empty() ? "" : "; ") + ("orders up to " + std::to_string(guard)) +
                  ", a quarter of the rows before the first origin";
    return v;
  }

  /// H-step error on the validation part of fits on the train part. One split misleads about d: see the
  /// explanation of criteria in the documentation.
  verdict hold_out(std::size_t horizon) {
    verdict v{.criterion = "hold-out", .chosen = {}, .tables = {}, .remark = {}};
    for (const int d : space_.differencing) {
      const auto orders = space_.up_to(std::min(context_ - static_cast<std::size_t>(d), train_.length() / 4));
      auto [entry, fresh] = held_.try_emplace(d);
      if (fresh) entry->second = path(train_.rows(), orders.back(), d);
      const horizon_scorer scorer(validation_.with_history(std::min(context_, validation_.first())),
                                  {std::min(context_, validation_.first()), horizon}, d, orders.back());
      v.tables.push_back({d, orders, scorer.mse(entry->second, orders)});
    }
    v.chosen = best_of(v.tables);
    return v;
  }

  /// A one-step criterion on train and validation, all candidates on one sample.
  verdict one_step(criterion which) {
    verdict v{.criterion = std::string(name_of(which)), .chosen = {}, .tables = {}, .remark = {}};
    for (const int d : space_.differencing) {
      const auto orders = space_.up_to(std::min(context_ - static_cast<std::size_t>(d), rows_.length() / 4));
      auto [entry, fresh] = one_step_.try_emplace(d);
      if (fresh) entry->second = path(rows_, orders.back(), d);
      const auto all = information(which, entry->second);
      score_table table{.differencing = d, .orders = orders, .scores = {}};
      // Samples differ by d in a handful of rows: compare means.
      for (const auto p : orders) table.scores.push_back(all[p] / entry->second.samples);
      v.tables.push_back(std::move(table));
    }
    v.chosen = best_of(v.tables);
    return v;
  }

  /// The released program's rule with its own grid and differencing.
  verdict released(std::size_t horizon) const {
    return released_rule(train_, validation_, {context_, horizon}, released_orders(), 2);
  }

  /// The published table's setting: candidates up to the context, at most one difference.
  verdict paper(std::size_t horizon) const {
    auto orders = released_orders();
    if (const std::size_t longest = context_ - 1; longest > orders.back()) orders.push_back(longest);
    auto v = released_rule(train_, validation_, {context_, horizon}, orders, 1);
    v.criterion = "in-sample BIC, lookbacks up to the context";
    return v;
  }

  /// The chosen model on train and validation together; Burg's where least squares explodes within `horizon`.
  model refit(const choice& c, std::size_t horizon = 0) const {
    return fit_tame(rows_, c.order, c.differencing, horizon);
  }

  /// The same on the released program's fit set.
  model refit_released(const choice& c) const {
    return fit(released_fit_set(train_, validation_, context_), c.order, c.differencing);
  }

 private:
  static order_path path(const data::series& x, std::size_t max_order, int d) {
    return fit_orders(gram_of(lag_moments::of(difference(x, d), max_order)), max_order, d);
  }

  std::optional<std::size_t> index_of(int d) const {
    const auto at = std::find(space_.differencing.begin(), space_.differencing.end(), d);
    if (at == space_.differencing.end()) return {};
    return static_cast<std::size_t>(at - space_.differencing.begin());
  }

  bool stationary() {
    if (!stationary_) stationary_ = is_stationary(rows_, trend::level);
    return *stationary_;
  }

  // mean of a - b over origins and its standard error
  static std::pair<double, double> mean_difference(const std::vector<double>& a,
                                                   const std::vector<double>& b) {
    const auto n = static_cast<double>(a.size());
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < a.size(); ++i) mean += (a[i] - b[i]) / n;
    for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i] - mean) * (a[i] - b[i] - mean);
    return {mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : std::numeric_limits<double>::infinity()};
  }

  data::train_part train_;
  data::validation_part validation_;
  order_space space_;
  std::size_t context_;
  origin_plan plan_;
  data::series rows_;
  std::map<std::pair<int, std::vector<std::size_t>>, rolling_origins> rolling_;
  std::map<int, order_path> held_, one_step_;
  std::optional<bool> stationary_;
};

}  // namespace fmsb::ar
