#include "baselines.hpp"

#include "fmsb/data/fill.hpp"             // fill_gaps
#include "fmsb/models/ar/difference.hpp"  // difference
#include "fmsb/models/ar/lag_gram.hpp"    // gram_of
#include "fmsb/models/ar/model.hpp"       // model, forecast
#include "fmsb/models/ar/orders.hpp"      // fit_order

#include <array>     // std::array
#include <chrono>    // std::chrono::steady_clock
#include <cmath>     // std::isnan
#include <limits>    // std::numeric_limits
#include <optional>  // std::optional
#include <string>    // std::to_string

namespace driver {

namespace {

using namespace fmsb;

std::vector<double> filled(values context) {
  const data::series one({"context"}, {}, {context.begin(), context.end()});
  const auto whole = data::fill_gaps(one);
  return {whole.channel(0).begin(), whole.channel(0).end()};
}

/// Lag moments of one channel over the stretches without gaps of all series.
void append(ar::lag_moments& moments, const data::panel& members, const std::string& target,
            int differencing) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto one = members[i].select(std::array{members.channel(target)});
    if (one.length() <= static_cast<std::size_t>(differencing)) continue;
    moments.append(ar::difference(one, differencing));
    moments.end_segment(0);
  }
}

/// Nothing where too few stretches are long enough.
std::optional<ar::model> fitted(const std::vector<data::panel>& parts, const std::string& target,
                                std::size_t order, int differencing) {
  ar::lag_moments moments(1, order);
  for (const auto& part : parts) append(moments, part, target, differencing);
  if (moments.count() < 10 * static_cast<double>(order + 1)) return {};
  return ar::fit_order(ar::gram_of(moments), order, differencing);
}

template <class Forecast>
double squared_error(const test_sample& windows, Forecast&& forecast_of) {
  double sum = 0, count = 0;
  for (const auto& w : windows) {
    const auto y = forecast_of(w);
    for (std::size_t h = 0; h < y.size(); ++h) {
      if (std::isnan(w.horizon[h])) continue;
      sum += (w.horizon[h] - y[h]) * (w.horizon[h] - y[h]);
      count += 1;
    }
  }
  return sum / count;
}

struct choice {
  std::size_t order = 0;
  int differencing = 0;
};

choice choose_order(const task& of, const target_windows& target) {
  const auto held = some_of(target.validation, 2000);
  choice best;
  double least = std::numeric_limits<double>::infinity();
  for (const int d : {0, 1})
    for (std::size_t order = 1;
         order + static_cast<std::size_t>(d) <= std::min<std::size_t>(24, of.rule.context); ++order) {
      const auto m = fitted({of.splits.train.members()}, target.name, order, d);
      if (!m || !ar::is_tame(*m, of.rule.horizon)) continue;
      const double mse = squared_error(
          held, [&](const auto& w) { return ar::forecast(*m, filled(w.context), of.rule.horizon); });
      if (mse < least) least = mse, best = {order, d};
    }
  if (best.order == 0)
    throw data_error(of.file + ": \"" + target.name +
                     "\" has too few stretches without gaps to fit an autoregression; pass --only-models.");
  return best;
}

template <class Forecast>
paths points(const test_sample& windows, std::size_t horizon, Forecast&& forecast_of) {
  paths out{.samples = 1, .horizon = horizon};
  for (const auto& w : windows)
    for (const double y : forecast_of(w)) out.numbers.push_back(static_cast<float>(y));
  return out;
}

/// The part of a test set that has one target.
test_set only(const test_set& test, std::size_t target) {
  auto one = test;
  one.targets = {test.targets[target]};
  one.windows = {test.windows[target]};
  return one;
}

}  // namespace

std::vector<outcome> last_values(const task& of, const test_set& test, const scoring_options& how) {
  const auto held = [&](const auto& w) {
    return std::vector<double>(of.rule.horizon, filled(w.context).back());
  };
  std::vector<paths> drawn;
  for (const auto& windows : test.windows) drawn.push_back(points(windows, of.rule.horizon, held));
  auto out = score("last value", test, drawn, how);
  for (auto& o : out) o.trained = 0;
  return out;
}

std::vector<outcome> pooled_autoregressions(const task& of, const test_set& test,
                                            const scoring_options& how) {
  std::vector<outcome> out;
  for (std::size_t i = 0; i < of.targets.size(); ++i) {
    const auto began = std::chrono::steady_clock::now();
    const auto& target = of.targets[i];
    const auto [order, d] = choose_order(of, target);
    const auto m = fitted({of.splits.train.members(), of.splits.validation.members()}, target.name, order, d);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto drawn = points(test.windows[i], of.rule.horizon, [&](const auto& w) {
      return ar::forecast(*m, filled(w.context), of.rule.horizon);
    });
    const auto name = "auto-ar, p = " + std::to_string(order) + ", d = " + std::to_string(d);
    out.push_back(score(name, only(test, i), {drawn}, how)[0]);
    out.back().trained = static_cast<std::int64_t>(order) + 1;
    out.back().seconds = seconds;
  }
  return out;
}

}  // namespace driver
