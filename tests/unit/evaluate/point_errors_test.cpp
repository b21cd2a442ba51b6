#include "fmsb/evaluate/point_errors.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <array>   // std::array
#include <vector>  // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::mean_of, fmsb::test::kGap, fmsb::test::draw_numbers;

namespace {

struct window {
  std::vector<double> truth, forecast;
  double scale;
};

std::vector<window> draw_windows(std::size_t horizon) {
  std::vector<window> out(*rc::gen::inRange<std::size_t>(0, 12));
  for (auto& w : out)
    w = {draw_numbers(horizon, 5), draw_numbers(horizon, 9),
         *rc::gen::inRange(0, 4) == 0 ? kGap : *rc::gen::inRange(1, 500) / 100.0};
  return out;
}

/// Each figure as the mean of a list of its terms, at one step or (for the horizon itself) at all.
struct plain_errors {
  std::vector<double> squares, sizes, shares, symmetric, scaled;
  std::size_t unforecast = 0;

  plain_errors(const std::vector<window>& windows, std::size_t horizon, std::size_t step) {
    for (const auto& w : windows)
      for (std::size_t h = 0; h < horizon; ++h) {
        if (step != horizon && step != h) continue;
        const double y = w.truth[h], f = w.forecast[h];
        if (std::isnan(y)) continue;
        if (std::isnan(f)) {
          ++unforecast;
          continue;
        }
        squares.push_back((y - f) * (y - f));
        sizes.push_back(std::abs(y - f));
        if (y != 0) shares.push_back(std::abs((y - f) / y));
        symmetric.push_back(y == f ? 0 : 2 * std::abs(y - f) / (std::abs(y) + std::abs(f)));
        if (!std::isnan(w.scale)) scaled.push_back(std::abs(y - f) / w.scale);
      }
  }
};

metrics::point_accumulator gathered(const std::vector<window>& windows, std::size_t horizon) {
  metrics::point_accumulator out(horizon);
  for (const auto& w : windows) out.add(w.truth, w.forecast, w.scale);
  return out;
}

}  // namespace

TEST_CASE("every point error is the mean of its terms, over all steps and at each, gaps left out") {
  CHECK(holds("point errors by their definitions", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 7);
    const auto windows = draw_windows(horizon);
    const auto all = gathered(windows, horizon).result();
    const plain_errors plain(windows, horizon, horizon);
    RC_ASSERT(near(all.mse, mean_of(plain.squares)));
    RC_ASSERT(near(all.rmse, std::sqrt(mean_of(plain.squares))));
    RC_ASSERT(near(all.mae, mean_of(plain.sizes)));
    RC_ASSERT(near(all.mape, mean_of(plain.shares)));
    RC_ASSERT(near(all.smape, mean_of(plain.symmetric)));
    RC_ASSERT(near(all.mase, mean_of(plain.scaled)));
    RC_ASSERT(all.count == plain.sizes.size());
    RC_ASSERT(all.mape_count == plain.shares.size());
    RC_ASSERT(all.mase_count == plain.scaled.size());
    RC_ASSERT(all.unforecast == plain.unforecast);
    for (std::size_t h = 0; h < horizon; ++h) {
      const plain_errors at(windows, horizon, h);
      RC_ASSERT(near(all.step_mse[h], mean_of(at.squares)));
      RC_ASSERT(near(all.step_mae[h], mean_of(at.sizes)));
      RC_ASSERT(near(all.step_mape[h], mean_of(at.shares)));
      RC_ASSERT(near(all.step_smape[h], mean_of(at.symmetric)));
      RC_ASSERT(near(all.step_mase[h], mean_of(at.scaled)));
    }
  }));
}

TEST_CASE("the errors of two halves merge to those of the whole") {
  CHECK(holds("merge is addition", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 7);
    const auto first = draw_windows(horizon), second = draw_windows(horizon);
    auto both = first;
    both.insert(both.end(), second.begin(), second.end());
    auto merged = gathered(first, horizon);
    merged.merge(gathered(second, horizon));
    const auto a = merged.result(), b = gathered(both, horizon).result();
    RC_ASSERT(a.count == b.count);
    RC_ASSERT(a.unforecast == b.unforecast);
    RC_ASSERT(a.mape_count == b.mape_count);
    RC_ASSERT(near(a.mse, b.mse));
    RC_ASSERT(near(a.mape, b.mape));
    RC_ASSERT(near(a.smape, b.smape));
    RC_ASSERT(near(a.mase, b.mase));
    RC_ASSERT(near(a.step_mape, b.step_mape));
    RC_ASSERT(near(a.step_mase, b.step_mase));
  }));
}

TEST_CASE("sMAPE lies within 0 and 2 and does not change with the unit, nor do MAPE and MASE") {
  CHECK(holds("scale-free", [] {
    const auto n = *rc::gen::inRange<std::size_t>(3, 20);
    auto past = draw_numbers(n), truth = draw_numbers(n), forecast = draw_numbers(n);
    past.push_back(past.back() + 1);
    const auto one = metrics::point_errors(truth, forecast, metrics::mase_scale(past));
    RC_ASSERT(one.smape >= 0);
    RC_ASSERT(one.smape <= 2);
    for (auto* values : {&past, &truth, &forecast})
      for (double& x : *values) x *= 8;
    const auto other = metrics::point_errors(truth, forecast, metrics::mase_scale(past));
    RC_ASSERT(near(one.smape, other.smape));
    RC_ASSERT(near(one.mape, other.mape));
    RC_ASSERT(near(one.mase, other.mase));
    RC_ASSERT(near(other.mae, 8 * one.mae));
  }));
}

TEST_CASE("the scale of MASE is the mean change from season to season over the pairs that are whole") {
  CHECK(metrics::mase_scale(std::array{1.0, 3.0, 2.0, 6.0}) == doctest::Approx((2 + 1 + 4) / 3.0));
  CHECK(metrics::mase_scale(std::array{1.0, 3.0, 2.0, 6.0}, 2) == 2);
  CHECK(metrics::mase_scale(std::array{1.0F, 3.0F, 2.0F}) == 1.5);
  CHECK(metrics::mase_scale(std::array{1.0, kGap, 2.0, 6.0, kGap}) == 4);
  CHECK(std::isnan(metrics::mase_scale(std::array{1.0, kGap, 2.0})));
  CHECK(std::isnan(metrics::mase_scale(std::array{5.0, 5.0, 5.0})));
  CHECK(std::isnan(metrics::mase_scale(std::vector<double>{})));
  CHECK(std::isnan(metrics::mase_scale(std::array{1.0, 2.0}, 2)));
  CHECK_THROWS_AS((void)metrics::mase_scale(std::array{1.0, 2.0}, 0), fmsb::usage_error);
}

TEST_CASE("the naive forecast of a long past has MASE 1 on that past") {
  const std::vector<double> y{3, 1, 4, 1, 5, 9, 2, 6};
  const std::vector<double> truth(y.begin() + 1, y.end()), naive(y.begin(), y.end() - 1);
  CHECK(metrics::point_errors(truth, naive, metrics::mase_scale(y)).mase == doctest::Approx(1));
}

TEST_CASE("floats and doubles may be mixed") {
  const auto scores = metrics::point_errors(std::vector<double>{1, 2}, std::array{1.5F, 2.0F});
  CHECK(scores.mae == 0.25);
  CHECK(scores.mape == 0.25);
}

TEST_CASE("a window of gaps counts nothing, and its figures are no numbers") {
  const auto none = metrics::point_errors(std::array{kGap, kGap}, std::array{1.0, 2.0}, 1);
  CHECK(none.count == 0);
  CHECK(none.unforecast == 0);
  CHECK(std::isnan(none.mse));
  CHECK(std::isnan(none.mape));
  CHECK(std::isnan(none.smape));
  CHECK(std::isnan(none.mase));
}

TEST_CASE("windows of another length and horizons that differ are refused") {
  metrics::point_accumulator two(2);
  const std::vector<double> three(3);
  CHECK_THROWS_AS(two.add(three, three), fmsb::usage_error);
  CHECK_THROWS_AS(two.add(std::vector<double>(2), three), fmsb::usage_error);
  CHECK_THROWS_AS(two.merge(metrics::point_accumulator(3)), fmsb::usage_error);
  CHECK_THROWS_AS(metrics::point_accumulator(0), fmsb::usage_error);
  metrics::step_means means(2);
  CHECK_THROWS_AS(means.add(2, 1.0), fmsb::usage_error);
}
