#include "fmsb/evaluate/quantile_loss.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::sort
#include <vector>     // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::mean_of, fmsb::test::kGap, fmsb::test::draw_numbers;

namespace {

struct window {
  std::vector<double> truth, quantiles;
};

std::vector<window> draw_windows(std::size_t horizon, std::size_t levels) {
  std::vector<window> out(*rc::gen::inRange<std::size_t>(0, 8));
  for (auto& w : out) w = {draw_numbers(horizon, 5), draw_numbers(horizon * levels, 60)};
  return out;
}

std::vector<double> draw_levels() {
  std::vector<double> out;
  for (int percent = *rc::gen::inRange(1, 30); percent < 100; percent += *rc::gen::inRange(1, 40))
    out.push_back(percent / 100.0);
  return out;
}

metrics::quantile_accumulator gathered(const std::vector<window>& windows, std::size_t horizon,
                                       const std::vector<double>& levels) {
  metrics::quantile_accumulator out(horizon, levels);
  for (const auto& w : windows) out.add(w.truth, w.quantiles);
  return out;
}

/// As GluonTS writes it: 2 |(y - q) ((y <= q) - level)|, its sum over that of |y|, at the steps [first,
/// last).
struct plain_loss {
  std::vector<double> by_level, all_losses, below;
  double wql = 0;
  std::size_t count = 0, unforecast = 0;

  plain_loss(const std::vector<window>& windows, std::size_t horizon, const std::vector<double>& levels,
             std::size_t first, std::size_t last) {
    std::vector<double> losses(levels.size()), at_or_below(levels.size());
    double sizes = 0;
    for (const auto& w : windows)
      for (std::size_t h = first; h < last; ++h) {
        if (std::isnan(w.truth[h])) continue;
        bool known = true;
        for (std::size_t k = 0; k < levels.size(); ++k)
          known = known && !std::isnan(w.quantiles[k * horizon + h]);
        count += known ? 1 : 0;
        unforecast += known ? 0 : 1;
        if (!known) continue;
        sizes += std::abs(w.truth[h]);
        for (std::size_t k = 0; k < levels.size(); ++k) {
          const double y = w.truth[h], q = w.quantiles[k * horizon + h];
          const double loss = 2 * std::abs((y - q) * ((y <= q ? 1 : 0) - levels[k]));
          losses[k] += loss;
          all_losses.push_back(loss);
          at_or_below[k] += y <= q ? 1 : 0;
        }
      }
    for (std::size_t k = 0; k < levels.size(); ++k) {
      by_level.push_back(sizes > 0 ? losses[k] / sizes : kGap);
      below.push_back(at_or_below[k] / static_cast<double>(count));
    }
    wql = mean_of(by_level);
  }
};

}  // namespace

TEST_CASE("the weighted quantile loss is GluonTS's, over all steps, by level and by step") {
  CHECK(holds("wql by its definition", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 6);
    const auto levels = draw_levels();
    const auto windows = draw_windows(horizon, levels.size());
    const auto found = gathered(windows, horizon, levels).result();
    const plain_loss plain(windows, horizon, levels, 0, horizon);
    RC_ASSERT(found.count == plain.count);
    RC_ASSERT(found.unforecast == plain.unforecast);
    RC_ASSERT(near(found.wql, plain.wql));
    RC_ASSERT(near(found.crps, mean_of(plain.all_losses)));
    RC_ASSERT(near(found.level_wql, plain.by_level));
    RC_ASSERT(near(found.level_below, plain.below));
    for (std::size_t h = 0; h < horizon; ++h)
      RC_ASSERT(near(found.step_wql[h], plain_loss(windows, horizon, levels, h, h + 1).wql));
  }));
}

TEST_CASE("quantile losses of two halves merge to those of the whole") {
  CHECK(holds("merge is addition", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 6);
    const auto levels = draw_levels();
    const auto first = draw_windows(horizon, levels.size()), second = draw_windows(horizon, levels.size());
    auto both = first;
    both.insert(both.end(), second.begin(), second.end());
    auto merged = gathered(first, horizon, levels);
    merged.merge(gathered(second, horizon, levels));
    const auto a = merged.result(), b = gathered(both, horizon, levels).result();
    RC_ASSERT(a.count == b.count);
    RC_ASSERT(near(a.wql, b.wql));
    RC_ASSERT(near(a.crps, b.crps));
    RC_ASSERT(near(a.step_wql, b.step_wql));
    RC_ASSERT(near(a.level_below, b.level_below));
  }));
}

TEST_CASE("the median's doubled pinball loss is the absolute error") {
  metrics::quantile_accumulator median(3, {.5});
  median.add(std::vector<double>{1, -2, 5}, std::vector<float>{2, -2, 1});
  CHECK(median.result().crps == doctest::Approx(5.0 / 3));
  CHECK(median.result().wql == doctest::Approx(5.0 / 8));
  CHECK(median.result().level_below[0] == doctest::Approx(2.0 / 3));
}

TEST_CASE("where every truth is 0, there is nothing to weigh losses by") {
  metrics::quantile_accumulator zeros(2);
  zeros.add(std::vector<double>{0, 0}, std::vector<double>(18, 1));
  CHECK(std::isnan(zeros.result().wql));
  CHECK(std::isnan(zeros.result().step_wql[1]));
  CHECK(zeros.result().crps == doctest::Approx(1));
}

TEST_CASE("no quantile forecasts better than that of the truths themselves") {
  CHECK(holds("the pinball loss is least at the quantile", [] {
    const auto truth = draw_numbers(*rc::gen::inRange<std::size_t>(1, 30));
    const auto levels = draw_levels();
    const auto loss = [&](std::span<const double> quantiles) {
      metrics::quantile_accumulator out(1, levels);
      for (const double y : truth) out.add(std::vector{y}, quantiles);
      return out.result().crps;
    };
    const auto best = metrics::quantiles_of_samples(truth, 1, levels);
    RC_ASSERT(loss(best) <= loss(draw_numbers(levels.size())) + 1e-12);
  }));
}

TEST_CASE("quantiles of samples lie where the sorted samples of each step say, by either rule") {
  CHECK(holds("quantiles of samples", [] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 25), horizon = *rc::gen::inRange<std::size_t>(1, 5);
    const auto samples = draw_numbers(n * horizon, 40);
    const auto levels = draw_levels();
    const auto linear = metrics::quantiles_of_samples(samples, horizon, levels);
    const auto nearest =
        metrics::quantiles_of_samples(samples, horizon, levels, metrics::quantile_rule::nearest);
    for (std::size_t h = 0; h < horizon; ++h) {
      std::vector<double> step;
      for (std::size_t i = 0; i < n; ++i) step.push_back(samples[i * horizon + h]);
      const bool gap = std::any_of(step.begin(), step.end(), [](double x) { return std::isnan(x); });
      if (!gap) std::sort(step.begin(), step.end());
      for (std::size_t k = 0; k < levels.size(); ++k) {
        const double place = levels[k] * static_cast<double>(n - 1);
        const auto below = static_cast<std::size_t>(place);
        const double above = step[std::min(below + 1, n - 1)];
        const double between = step[below] + (place - static_cast<double>(below)) * (above - step[below]);
        RC_ASSERT(near(linear[k * horizon + h], gap ? kGap : between));
        RC_ASSERT(near(nearest[k * horizon + h],
                       gap ? kGap : step[static_cast<std::size_t>(std::nearbyint(place))]));
      }
    }
  }));
}

TEST_CASE("nearest places round halves to even, as NumPy does in GluonTS's forecasts") {
  std::vector<double> twenty(20);
  for (std::size_t i = 0; i < 20; ++i) twenty[i] = static_cast<double>(i);
  const auto found =
      metrics::quantiles_of_samples(twenty, 1, metrics::kDeciles, metrics::quantile_rule::nearest);
  CHECK(found == std::vector<double>{2, 4, 6, 8, 10, 11, 13, 15, 17});
}

TEST_CASE("levels, sizes and horizons that do not fit are refused") {
  using fmsb::usage_error;
  using levels = std::vector<double>;
  CHECK_THROWS_AS(metrics::quantile_accumulator(1, levels{}), usage_error);
  CHECK_THROWS_AS(metrics::quantile_accumulator(1, levels{0, .5}), usage_error);
  CHECK_THROWS_AS(metrics::quantile_accumulator(1, levels{.5, .5}), usage_error);
  CHECK_THROWS_AS(metrics::quantile_accumulator(0), usage_error);
  metrics::quantile_accumulator nine(2);
  CHECK_THROWS_AS(nine.add(levels(2), levels(17)), usage_error);
  CHECK_THROWS_AS(nine.add(levels(3), levels(18)), usage_error);
  CHECK_THROWS_AS(nine.merge(metrics::quantile_accumulator(2, {.5})), usage_error);
  CHECK_THROWS_AS((void)metrics::quantiles_of_samples(levels(5), 2), usage_error);
  CHECK_THROWS_AS((void)metrics::quantiles_of_samples(levels{}, 2), usage_error);
  CHECK_THROWS_AS((void)metrics::quantiles_of_samples(levels(4), 2, levels{1.5}), usage_error);
  nine.add(levels{kGap, kGap}, levels(18));
  CHECK(nine.result().count == 0);
  CHECK(std::isnan(nine.result().wql));
}
