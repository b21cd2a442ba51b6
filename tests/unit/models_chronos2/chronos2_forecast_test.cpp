#include "fmsb/models/chronos/weighted_quantiles.hpp"  // weighted_quantiles, probability_masses
#include "fmsb/models/chronos2/forecast.hpp"           // forecast_tasks

#include "support/message.hpp"  // message_of
#include "support/property.hpp"
#include "unit/models_chronos2/chronos2_support.hpp"  // tiny_chronos2, chronos2_fixture, chronos2_distance

#include <ATen/ops/randn.h>  // at::randn

#include <algorithm>  // std::sort
#include <cmath>      // std::abs
#include <cstddef>    // std::size_t
#include <deque>      // std::deque
#include <limits>     // std::numeric_limits
#include <numeric>    // std::accumulate
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::chronos2_distance, test::chronos2_fixture, test::tiny_chronos2;

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();
constexpr index_t far = 29;  // beyond two passes

/// The fixture's tasks; keeps the values that they name.
struct fixture_tasks {
  std::deque<std::vector<double>> values;
  std::vector<chronos::forecast_task> tasks;

  fixture_tasks() {
    const auto later = chronos2_fixture("horizon_covariates");
    for (const auto& [name, row] : {std::pair("horizon_first", 3), std::pair("horizon_second", 7)}) {
      const auto rows = chronos2_fixture(name);
      tasks.push_back({.targets = {kept(rows[0]), kept(rows[1])},
                       .past_covariates = {kept(rows[2])},
                       .known_covariates = {{kept(rows[3]), kept(later[row])}}});
    }
    tasks.push_back({.targets = {kept(chronos2_fixture("horizon_single"))}});
  }
  std::span<const double> kept(const tensor& x) { return values.emplace_back(test::doubles_of(x)); }
};

/// Quantiles of weighted values by walking along them.
double by_walking(std::vector<std::pair<double, double>> values, double level) {
  std::sort(values.begin(), values.end());
  double total = 0, before = 0;
  for (const auto& [x, weight] : values) total += weight;
  double last = values.front().first;
  for (const auto& [x, weight] : values) {
    const double at = before + weight / total;
    if (level < at) return last + (level - before) / (at - before) * (x - last);
    before = at;
    last = x;
  }
  return last;
}

}  // namespace

TEST_CASE("tasks with covariates are forecast as chronos-forecasting's pipeline does, far beyond one pass") {
  auto model = tiny_chronos2();
  const fixture_tasks given;
  const auto expected = chronos2_fixture("horizon");
  for (const index_t at_once : {0, 1, 5, 100}) {
    CAPTURE(at_once);
    std::size_t finished = 0;
    const auto own = chronos::forecast_tasks(
        *model, given.tasks,
        {.horizon = far, .series_at_once = at_once, .advanced = [&](std::size_t n) { finished += n; }});
    REQUIRE(own.size() == 3);
    CHECK(finished == 3);
    CHECK(chronos2_distance(at::cat(own), expected) < 1e-5);
    CHECK_FALSE(own[0].is_inference());
  }
}

TEST_CASE("a task of one series is that series, forecast by itself") {
  auto model = tiny_chronos2();
  const fixture_tasks given;
  const std::vector<std::span<const double>> alone{given.tasks[2].targets[0]};
  for (const index_t horizon : {5, 12, 29}) {
    const auto tasks = chronos::forecast_tasks(*model, std::span(given.tasks).last(1), {.horizon = horizon});
    const auto series = chronos::forecast_quantiles(*model, alone, {.horizon = horizon});
    CHECK(chronos2_distance(tasks[0], series) < 1e-5);
  }
  CHECK(chronos2_distance(chronos::forecast_quantiles(*model, alone, {.horizon = far}),
                          chronos2_fixture("horizon").narrow(0, 4, 1)) < 1e-5);
}

TEST_CASE("a known covariate may end early, begin late, or tell more than is asked for") {
  auto model = tiny_chronos2();
  fixture_tasks given;
  auto& task = given.tasks[0];
  const auto ahead = [&](index_t horizon) {
    return chronos::forecast_tasks(*model, {&task, 1}, {.horizon = horizon})[0];
  };
  const auto future = task.known_covariates[0].future;
  auto& padded = given.values.emplace_back(future.begin(), future.begin() + 4);
  padded.resize(far, gap);
  const auto all = ahead(far), early = ahead(8);
  task.known_covariates[0].future = padded;
  const auto some = ahead(far);
  task.known_covariates[0].future = future.first(4);
  CHECK(ahead(far).equal(some));
  CHECK(chronos2_distance(all, some) > 1e-3);
  task.known_covariates[0].future = future.first(8);
  CHECK(ahead(8).equal(early));
  // One of which nothing is known is a covariate of the past.
  task.known_covariates[0].future = {};
  const auto none = ahead(far);
  task.past_covariates.push_back(task.known_covariates[0].past);
  task.known_covariates.clear();
  CHECK(ahead(far).equal(none));
}

TEST_CASE("tasks say what they lack") {
  auto model = tiny_chronos2();
  fixture_tasks given;
  const auto complaint = [&](const chronos::quantile_forecast_options& options = {}) {
    return test::message_of<usage_error>([&] { chronos::forecast_tasks(*model, given.tasks, options); });
  };
  CHECK(complaint({.horizon = 0}) ==
        "fmsb::chronos::forecast_tasks: a horizon of 0 was asked for, 0 series at once; a horizon is 1 at "
        "least.");
  CHECK(complaint({.horizon = 13, .limit_prediction_length = true})
            .find("lies beyond the model's prediction length, 12") != std::string::npos);
  model->train();
  CHECK(complaint().find("training mode") != std::string::npos);
  model->eval();
  given.tasks[1].past_covariates.push_back({});
  CHECK(complaint() ==
        "fmsb::chronos::forecast_tasks: series 7 has no values; a context holds one at least, be it a gap.");
  given.tasks[1].targets.clear();
  CHECK(complaint() ==
        "fmsb::chronos::forecast_tasks: task 1 has no target; a task is to forecast one series at least.");
  given.tasks.clear();
  CHECK(complaint() == "fmsb::chronos::forecast_tasks: there are no series to encode.");
  given.tasks = fixture_tasks().tasks;
  const std::vector<double> endless{1, std::numeric_limits<double>::infinity()};
  given.tasks.resize(1);
  const fixture_tasks again;
  given.tasks[0] = again.tasks[0];
  given.tasks[0].known_covariates[0].future = endless;
  CHECK(
      test::message_of<data_error>([&] { chronos::forecast_tasks(*model, given.tasks); }) ==
      "fmsb::chronos::forecast_tasks, known values: series 3 holds inf at position 1 of what is read; values "
      "are finite in float32, or gaps (NaN).");
}

TEST_CASE("quantiles of weighted values are those found by walking along them") {
  CHECK(test::holds("weighted", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const auto n = *rc::gen::inRange<std::size_t>(1, 9);
    const auto values = at::randn({2, static_cast<index_t>(n), 3}, at::kDouble);
    const auto weights = *rc::gen::container<std::vector<double>>(
        n, rc::gen::map(rc::gen::inRange(1, 20), [](int w) { return w * .5; }));
    const std::vector<double> levels{0, .01, .3, .5, .77, .999, 1};
    const auto own = chronos::weighted_quantiles(values, weights, levels);
    for (index_t series = 0; series < 2; ++series)
      for (index_t step = 0; step < 3; ++step) {
        std::vector<std::pair<double, double>> pairs;
        for (std::size_t i = 0; i < n; ++i)
          pairs.emplace_back(values[series][static_cast<index_t>(i)][step].item<double>(), weights[i]);
        for (std::size_t q = 0; q < levels.size(); ++q)
          RC_ASSERT(std::abs(own[series][static_cast<index_t>(q)][step].item<double>() -
                             by_walking(pairs, levels[q])) < 1e-9);
      }
  }));
  CHECK(
      test::message_of<usage_error>([] {
        chronos::weighted_quantiles(at::zeros({2, 3, 4}), std::vector<double>{1, 1}, std::vector<double>{.5});
      }) ==
      "fmsb::chronos::weighted_quantiles was given values of shape [2, 3, 4] and 2 weights; it takes "
      "[series, n, "
      "steps] and n weights, at least one.");
}

TEST_CASE("the masses of quantiles sum to one, and even levels have even masses within") {
  const std::vector<double> levels{.1, .2, .3, .4, .5, .6, .7, .8, .9};
  const auto masses = chronos::probability_masses(levels);
  CHECK(std::accumulate(masses.begin(), masses.end(), 0.) == doctest::Approx(1));
  for (std::size_t i = 1; i + 1 < masses.size(); ++i) CHECK(masses[i] == doctest::Approx(masses[1]));
  CHECK(chronos::probability_masses(std::vector<double>{.5}) == std::vector<double>{1});
  const auto uneven = chronos::probability_masses(std::vector<double>{.1, .2, .9});
  CHECK(uneven[0] == doctest::Approx(.1 / (.1 + .4 + .4)));
  CHECK(uneven[1] == doctest::Approx(uneven[2]));
}
