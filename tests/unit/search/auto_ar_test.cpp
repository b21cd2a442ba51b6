#include "fmsb/models/ar/score.hpp"                 // score
#include "fmsb/search/auto_ar/order_search.hpp"     // order_search
#include "fmsb/search/auto_ar/rolling_origins.hpp"  // rolling_origins

#include "../models/ar_support.hpp"
#include "support/property.hpp"

#include <cmath>    // std::log
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

namespace {

using namespace fmsb;

data::splits cycles(std::size_t length, std::uint64_t seed = 3) {
  return data::by_ratio(test::noisy_cycles(2, length, seed), .6, .2, .2);
}

// Every window of a stretch, forecast one by one: the plain twin of every score.
double plain_mse(const ar::model& m, const data::series& x, ar::window_grid grid) {
  double sum = 0, count = 0;
  for (std::size_t c = 0; c < x.channels(); ++c)
    for (std::size_t w = 0; w + grid.context + grid.horizon <= x.length(); ++w) {
      const auto path = ar::forecast(m, x.channel(c).subspan(w, grid.context), grid.horizon);
      for (std::size_t h = 0; h < grid.horizon; ++h) {
        const double e = x.channel(c)[w + grid.context + h] - path[h];
        sum += e * e;
        count += 1;
      }
    }
  return sum / count;
}

std::string message_of(auto&& f) {
  try {
    f();
  } catch (const fmsb::error& e) { return e.what(); }
  return "nothing was thrown";
}

TEST_CASE("a rolling origin's score is that of a fit on the rows before it, window by window") {
  const auto parts = cycles(300);
  const auto x = parts.train.whole().slice(0, parts.validation.last());
  for (const int d : {0, 1, 2}) {
    CAPTURE(d);
    const ar::origin_plan plan{.count = 3, .first = .5, .last = .8, .block = .1};
    const auto origins = ar::origin_rows(x.length(), 6, plan);
    const ar::rolling_origins rolling(x, origins, d, 5);
    const std::vector<std::size_t> orders{1, 3, 5};
    const auto scores = rolling.log_mse(orders, {20, 6}, 24);
    REQUIRE(scores.size() == 3);
    for (std::size_t i = 0; i < origins.size(); ++i) {
      const auto path = ar::fit_orders(
          ar::gram_of(ar::lag_moments::of(ar::difference(x.slice(0, origins[i]), d), 5)), 5, d);
      for (std::size_t k = 0; k < orders.size(); ++k) {
        const double plain =
            plain_mse(path.at(orders[k]), x.slice(origins[i] - 20, origins[i] + 24), {20, 6});
        CHECK(scores[i][k] == doctest::Approx(std::log(plain)).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("origins move forward only as far as leaves the horizon to score") {
  CHECK(test::holds("origin_rows", [] {
    const auto rows = static_cast<std::size_t>(*rc::gen::inRange(20, 3000));
    const auto horizon = static_cast<std::size_t>(*rc::gen::inRange(1, static_cast<int>(rows) / 2));
    const auto origins = ar::origin_rows(rows, horizon);
    RC_ASSERT((!origins.empty() && origins.size() <= 5U));
    for (std::size_t i = 0; i < origins.size(); ++i) {
      RC_ASSERT(origins[i] + horizon <= rows);
      RC_ASSERT((i == 0 || origins[i - 1] < origins[i]));
    }
  }));
  CHECK(message_of([] { ar::origin_rows(100, 60); }).find("shorten the horizon") != std::string::npos);
}

TEST_CASE("another horizon before does not change what a search chooses") {
  const auto parts = cycles(600);
  ar::order_search fresh(parts.train, parts.validation, ar::order_space::range(1, 12, {0, 1}), 40);
  ar::order_search used(parts.train, parts.validation, ar::order_space::range(1, 12, {0, 1}), 40);
  used.rolling(30);
  used.hold_out(30);
  const auto a = fresh.rolling(4), b = used.rolling(4);
  CHECK(a.chosen.order == b.chosen.order);
  CHECK(a.chosen.score == b.chosen.score);
  CHECK(fresh.hold_out(4).chosen.score == used.hold_out(4).chosen.score);
}

TEST_CASE("hold-out scores a fit on train over the windows of validation") {
  const auto parts = cycles(400);
  ar::order_search search(parts.train, parts.validation, ar::order_space::range(1, 6, {0, 1}), 30);
  const auto v = search.hold_out(5);
  REQUIRE(v.tables.size() == 2);
  const auto path =
      ar::fit_orders(ar::gram_of(ar::lag_moments::of(ar::difference(parts.train.rows(), 1), 6)), 6, 1);
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(
        v.tables[1].scores[i] ==
        doctest::Approx(plain_mse(path.at(i + 1), parts.validation.with_history(30), {30, 5})).epsilon(1e-9));
}

TEST_CASE("levels are chosen only for a series whose level does not shift") {
  // An autoregression around a constant: KPSS passes, and levels forecast it better than differences.
  const auto still = cycles(3000);
  ar::order_search calm(still.train, still.validation, ar::order_space::range(1, 6, {0, 1}), 40);
  CHECK(calm.rolling(20).chosen.differencing == 0);

  // Its running sum wanders: one difference, whatever the origins say.
  auto values = std::vector<double>{};
  const auto& x = still.train.whole();
  for (std::size_t c = 0; c < x.channels(); ++c) {
    double sum = 0;
    for (const double v : x.channel(c)) values.push_back(sum += v - 0.75);
  }
  const auto wandering = data::by_ratio({x.names(), {}, values}, .6, .2, .2);
  ar::order_search careful(wandering.train, wandering.validation, ar::order_space::range(1, 6, {0, 1}), 40);
  const auto v = careful.rolling(20);
  CHECK(v.chosen.differencing == 1);
  CHECK(v.remark.find("KPSS") != std::string::npos);
}

TEST_CASE("a short series bounds the orders by a quarter of the rows before the first origin") {
  const auto parts = cycles(100);
  ar::order_search search(parts.train, parts.validation, ar::order_space::range(1, 60, {1}), 50);
  const auto v = search.rolling(3);
  CHECK(v.tables[0].orders.back() == 10);  // 80 rows, first origin at 40
  CHECK(v.remark.find("a quarter of the rows") != std::string::npos);
}

TEST_CASE("a search space that the rows cannot carry is refused with a sentence") {
  const auto parts = cycles(100);
  ar::order_search search(parts.train, parts.validation, ar::order_space::range(20, 60, {1}), 50);
  CHECK(
      message_of([&] { search.rolling(3); }) ==
      "Auto-AR: no candidate order is left at or below 10, which is what the context and the number of rows "
      "allow; lower --orders.");
  CHECK_THROWS_AS(ar::order_search(parts.train, parts.validation, {}, 50), usage_error);
}

TEST_CASE("a pure cycle, whose lags are collinear, is still fitted and forecast") {
  std::vector<double> wave;
  for (std::size_t t = 0; t < 400; ++t) wave.push_back(t % 4 == 1 ? 1.0 : t % 4 == 3 ? -1.0 : 0.0);
  const data::series x({"wave"}, {}, wave);
  const auto m = ar::fit(x, 8, 0);
  CHECK(plain_mse(m, x, {8, 12}) < 1e-12);
  const double score =
      ar::horizon_scorer(x, {8, 12}, 0, 8).mse(m);  // not below nought, nor infinite, by rounding
  CHECK(score >= 0);
  CHECK(score < 1e-9);
}

TEST_CASE("an explosive fit gives way to Burg's") {
  std::vector<double> growing;
  double level = 1;
  for (std::size_t t = 0; t < 60; ++t) growing.push_back(level *= (t % 2 == 0 ? 1.31 : 1.29));
  const data::series x({"growth"}, {}, growing);
  CHECK_FALSE(ar::is_tame(ar::fit(x, 1, 0), 50));
  CHECK(ar::is_tame(ar::fit_tame(x, 1, 0, 50), 50));
}

TEST_CASE("a compile-time space gives the run-time candidates") {
  const auto space = ar::order_space::of<ar::lookbacks<2, 11, 3>, ar::differencing<1, 0>>();
  CHECK(space.orders == std::vector<std::size_t>{2, 5, 8, 11});
  CHECK(space.differencing == std::vector<int>{1, 0});
}

TEST_CASE("the released fit set repeats the rows before validation, and its score is in sample") {
  const auto parts = cycles(1200);
  const auto rows = ar::released_fit_set(parts.train, parts.validation, 200);
  CHECK(rows.length() == parts.train.length() + 200 + parts.validation.length());
  CHECK(rows.channel(0)[parts.train.length()] == parts.train.rows().channel(0)[parts.train.length() - 200]);
  const auto v = ar::released_rule(parts.train, parts.validation, {200, 7}, {3, 9}, 2);
  const int d = v.tables[0].differencing;
  const double windows = static_cast<double>(rows.length() - 200 - 7 + 1) * 7 * 2;
  const double plain = plain_mse(ar::fit(rows, 3, d), rows, {200, 7});
  CHECK(v.tables[0].scores[0] ==
        doctest::Approx(std::log(plain) + 4 * std::log(windows) / windows).epsilon(1e-9));
}

}  // namespace
