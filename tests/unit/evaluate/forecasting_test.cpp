#include "fmsb/evaluate/forecasting.hpp"

#include "fmsb/core/error.hpp"

#include "support/property.hpp"

#include <algorithm>  // std::sort
#include <cmath>      // std::abs
#include <limits>     // std::numeric_limits

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds;

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

std::vector<double> draw_errors(std::size_t most = 100) {
  return *rc::gen::resize(static_cast<int>(most), rc::gen::container<std::vector<double>>(rc::gen::exec([] {
                            return static_cast<double>(*rc::gen::inRange(-100'000, 100'001)) / 1000;
                          })));
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(a) + std::abs(b)); }

}  // namespace

TEST_CASE("errors added block by block give the means over all of them") {
  CHECK(holds("mse, mae and rmse equal the plain sums", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 5);
    metrics::error_accumulator gathered(horizon);
    std::vector<std::vector<double>> all(horizon);
    for (int block = *rc::gen::inRange(1, 8); block > 0; --block) {
      const auto step = *rc::gen::inRange<std::size_t>(0, horizon);
      const auto errors = draw_errors();
      gathered.add(step, errors);
      all[step].insert(all[step].end(), errors.begin(), errors.end());
    }
    const auto result = gathered.result();
    double squares = 0, sizes = 0, count = 0;
    for (std::size_t h = 0; h < horizon; ++h) {
      double step_squares = 0, step_sizes = 0;
      for (const double e : all[h]) {
        step_squares += e * e;
        step_sizes += std::abs(e);
      }
      const auto n = static_cast<double>(all[h].size());
      RC_ASSERT((n > 0 ? near(result.step_mse[h], step_squares / n) : std::isnan(result.step_mse[h])));
      RC_ASSERT((n > 0 ? near(result.step_mae[h], step_sizes / n) : std::isnan(result.step_mae[h])));
      squares += step_squares;
      sizes += step_sizes;
      count += n;
    }
    RC_ASSERT(result.count == static_cast<std::size_t>(count));
    RC_PRE(count > 0);
    RC_ASSERT(near(result.mse, squares / count));
    RC_ASSERT(near(result.mae, sizes / count));
    RC_ASSERT(near(result.rmse * result.rmse, result.mse));
  }));
}

TEST_CASE("errors that are gaps are not counted") {
  metrics::error_accumulator gathered(1);
  gathered.add(0, std::vector{kGap, 3.0, kGap, -1.0, kGap, kGap, kGap, kGap, kGap, kGap});
  CHECK(gathered.result().count == 2);
  CHECK(gathered.result().mse == 5);
  CHECK(gathered.result().mae == 2);
}

TEST_CASE("merging shards equals adding everything in one place") {
  CHECK(holds("merge is addition", [] {
    const auto a = draw_errors(), b = draw_errors();
    metrics::error_accumulator one(2), two(2), both(2);
    one.add(0, a);
    two.add(0, b);
    two.add(1, a);
    both.add(0, a);
    both.add(0, b);
    both.add(1, a);
    one.merge(two);
    RC_PRE(!a.empty());
    RC_ASSERT(near(one.result().mse, both.result().mse));
    RC_ASSERT(near(one.result().step_mae[1], both.result().step_mae[1]));
  }));
}

TEST_CASE("quantiles lie where the sorted errors say") {
  CHECK(holds("type 7 quantiles by sorting", [] {
    const auto errors = draw_errors();
    RC_PRE(!errors.empty());
    const double level = *rc::gen::inRange(0, 101) / 100.0;
    auto sorted = errors;
    std::sort(sorted.begin(), sorted.end());
    const double place = level * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double above = sorted[std::min(below + 1, sorted.size() - 1)];
    const double expected = sorted[below] + (place - static_cast<double>(below)) * (above - sorted[below]);
    metrics::error_accumulator gathered(1);
    gathered.add_with_quantiles(0, errors, std::vector{level, 0.0, 1.0});
    const auto result = gathered.result();
    RC_ASSERT(near(result.quantiles[0][0], expected));
    RC_ASSERT(result.quantiles[0][1] == sorted.front());
    RC_ASSERT(result.quantiles[0][2] == sorted.back());
  }));
}

TEST_CASE("steps beyond the horizon, unlike horizons and levels outside [0, 1] are refused") {
  using fmsb::usage_error;
  metrics::error_accumulator two(2);
  const std::vector<double> errors{1, 2}, half{.5}, tenth{.1}, beyond{1.5};
  CHECK_THROWS_AS(metrics::error_accumulator(0), usage_error);
  CHECK_THROWS_AS(two.add(2, errors), usage_error);
  CHECK_THROWS_AS(two.merge(metrics::error_accumulator(3)), usage_error);
  two.add_with_quantiles(0, errors, half);
  CHECK_THROWS_AS(two.add_with_quantiles(1, errors, tenth), usage_error);
  std::vector<double> values{1};
  CHECK_THROWS_AS((void)metrics::quantiles_of(values, beyond), usage_error);
}

TEST_CASE("without errors there are no means") {
  const auto nothing = metrics::error_accumulator(3).result();
  CHECK(nothing.count == 0);
  CHECK(std::isnan(nothing.mse));
  CHECK(nothing.horizon() == 3);
}
