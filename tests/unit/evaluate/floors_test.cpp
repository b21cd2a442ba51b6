#include "fmsb/evaluate/floors.hpp"

#include "fmsb/core/error.hpp"
#include "fmsb/data/csv.hpp"
#include "fmsb/data/scaling.hpp"

#include "support/data.hpp"
#include "support/property.hpp"

#include <cmath>       // std::abs
#include <functional>  // std::function
#include <limits>      // std::numeric_limits

#include "support/doctest.hpp"

namespace data = fmsb::data;
namespace metrics = fmsb::metrics;
using fmsb::test::holds;

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// One to three channels with about one gap in `gap_every` (none for 0), and a test part within them.
data::test_part draw_part(std::size_t history, std::size_t horizon, int gap_every) {
  const auto channels = *rc::gen::inRange<std::size_t>(1, 4);
  const auto first = *rc::gen::inRange<std::size_t>(history, history + 10);
  const auto rows = first + horizon + *rc::gen::inRange<std::size_t>(0, 25);
  const auto values = *rc::gen::container<std::vector<double>>(
      channels * rows, rc::gen::exec([=] {
        if (gap_every > 0 && *rc::gen::inRange(0, gap_every) == 0) return kGap;
        return static_cast<double>(*rc::gen::inRange(-1000, 1001)) / 100;
      }));
  return {data::series(std::vector<std::string>(channels, "x"), {}, values), first, rows};
}

/// Every window laid out and forecast on its own.
/// @param forecast  forecast(rows before the window, step) of one channel
metrics::forecast_errors plain(const data::test_part& part, std::size_t horizon,
                               const std::function<double(std::span<const double>, std::size_t)>& forecast) {
  metrics::error_accumulator errors(horizon);
  for (std::size_t c = 0; c < part.whole().channels(); ++c)
    for (std::size_t start = part.first(); start + horizon <= part.last(); ++start)
      for (std::size_t h = 0; h < horizon; ++h) {
        const auto values = part.whole().channel(c);
        errors.add(h, std::vector{values[start + h] - forecast(values.first(start), h)});
      }
  return errors.result();
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-12 * (1 + std::abs(a));
}

bool same(const metrics::forecast_errors& a, const metrics::forecast_errors& b) {
  bool all = a.count == b.count && same(a.mse, b.mse) && same(a.mae, b.mae) && a.horizon() == b.horizon();
  for (std::size_t h = 0; all && h < a.horizon(); ++h)
    all = same(a.step_mse[h], b.step_mse[h]) && same(a.step_mae[h], b.step_mae[h]);
  return all;
}

}  // namespace

TEST_CASE("the last value, held, scores as window by window, over gaps too") {
  CHECK(holds("last value", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 12);
    const auto part = draw_part(1, horizon, *rc::gen::element(0, 4));
    RC_ASSERT(same(metrics::last_value(part, horizon), plain(part, horizon, [](auto past, std::size_t) {
                     while (past.size() > 1 && std::isnan(past.back())) past = past.first(past.size() - 1);
                     return past.back();
                   })));
  }));
}

TEST_CASE("the last season, repeated, scores as window by window") {
  CHECK(holds("seasonal naive", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 12);
    const auto season = *rc::gen::inRange<std::size_t>(1, 8);
    const auto part = draw_part(season, horizon, *rc::gen::element(0, 4));
    RC_ASSERT(same(metrics::seasonal_naive(part, horizon, season),
                   plain(part, horizon,
                         [=](auto past, std::size_t h) { return past[past.size() - season + h % season]; })));
  }));
}

TEST_CASE("the average season scores as window by window and never looks ahead") {
  CHECK(holds("average season", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 12);
    const auto season = *rc::gen::inRange<std::size_t>(1, 8);
    const auto context = season + *rc::gen::inRange<std::size_t>(0, 20);
    const auto part = draw_part(context, horizon, *rc::gen::element(0, 4));
    RC_ASSERT(same(metrics::average_season(part, horizon, season, context),
                   plain(part, horizon, [=](auto past, std::size_t h) {
                     double sum = 0, count = 0;
                     for (std::size_t k = 1; k <= context / season; ++k) {
                       const double x = past[past.size() - k * season + h % season];
                       sum += std::isnan(x) ? 0 : x;
                       count += std::isnan(x) ? 0 : 1;
                     }
                     return sum / count;
                   })));
  }));
}

TEST_CASE("a periodic series is forecast without error by both seasonal floors, and a constant one by all") {
  std::vector<double> values(60);
  for (std::size_t t = 0; t < values.size(); ++t) values[t] = static_cast<double>(t % 6);
  const data::test_part periodic(data::series({"x"}, {}, values), 30, 60);
  CHECK(metrics::seasonal_naive(periodic, 10, 6).mse == 0);
  CHECK(metrics::average_season(periodic, 10, 6, 24).mse == 0);
  CHECK(metrics::last_value(periodic, 10).mse > 0);
  CHECK(metrics::last_value(periodic, 10).count == 21 * 10);
}

TEST_CASE("a part too short for the horizon and a past too short for the season are told") {
  const data::test_part part(data::series({"x"}, {}, std::vector<double>(20, 1)), 10, 20);
  CHECK_THROWS_AS((void)metrics::last_value(part, 11), fmsb::data_error);
  CHECK_THROWS_AS((void)metrics::seasonal_naive(part, 5, 11), fmsb::data_error);
  CHECK_THROWS_AS((void)metrics::average_season(part, 5, 4, 11), fmsb::data_error);
  CHECK_THROWS_AS((void)metrics::average_season(part, 5, 4, 3), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::seasonal_naive(part, 5, 0), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::last_value(part, 0), fmsb::usage_error);
  CHECK_NOTHROW((void)metrics::last_value(part, 10));
}

TEST_CASE("on ETTh1 the last value scores the 1.294 that the papers' repeat baseline scores") {
  const auto path = fmsb::test::data_file("timeseries/ETTh1.csv");
  if (!path) {
    fmsb::test::skip("ETTh1.csv is not in the data folder");
    return;
  }
  const auto parts = data::z_scored(data::ett_hourly(data::read_csv(*path)));
  CHECK(metrics::last_value(parts.test, 96).mse == doctest::Approx(1.294).epsilon(0.001));
  CHECK(metrics::seasonal_naive(parts.test, 96, 24).mse == doctest::Approx(0.512).epsilon(0.001));
  const auto days = metrics::average_season(parts.test, 96, 24, 512);
  CHECK(days.mse < metrics::last_value(parts.test, 96).mse);
  CHECK(days.count == 7u * 2785 * 96);
}
