#include "fmsb/evaluate/crps.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::sort
#include <vector>     // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::kGap, fmsb::test::draw_number,
    fmsb::test::draw_numbers;
using metrics::crps_estimator;

namespace {

double plain_crps(const std::vector<double>& x, double y, crps_estimator estimator) {
  const auto n = static_cast<double>(x.size());
  double sizes = 0, pairs = 0;
  for (const double a : x) {
    sizes += std::abs(a - y);
    for (const double b : x) pairs += std::abs(a - b);
  }
  return sizes / n - pairs / 2 / (estimator == crps_estimator::fair ? n * (n - 1) : n * n);
}

/// The integral of (F(z) - [y <= z])^2 over z, F being the samples' step function.
double integral(std::vector<double> x, double y) {
  std::sort(x.begin(), x.end());
  auto knots = x;
  knots.push_back(y);
  std::sort(knots.begin(), knots.end());
  double sum = 0;
  for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
    const auto below = std::upper_bound(x.begin(), x.end(), knots[k]) - x.begin();
    const double share = static_cast<double>(below) / static_cast<double>(x.size());
    const double off = share - (y <= knots[k] ? 1 : 0);
    sum += off * off * (knots[k + 1] - knots[k]);
  }
  return sum;
}

}  // namespace

TEST_CASE("CRPS by ranks is that of all pairs, and the integral that defines it") {
  CHECK(holds("crps by its definitions", [] {
    const auto x = draw_numbers(*rc::gen::inRange<std::size_t>(2, 40));
    const double y = draw_number();
    const double found = metrics::crps(x, y);
    RC_ASSERT(near(found, plain_crps(x, y, crps_estimator::plain)));
    RC_ASSERT(near(found, integral(x, y)));
    RC_ASSERT(near(metrics::crps(x, y, crps_estimator::fair), plain_crps(x, y, crps_estimator::fair)));
    RC_ASSERT(found >= -1e-12);
  }));
}

TEST_CASE("CRPS moves with its unit, not with its origin, and one sample gives the absolute error") {
  CHECK(holds("laws of crps", [] {
    auto x = draw_numbers(*rc::gen::inRange<std::size_t>(1, 20));
    const double y = draw_number(), found = metrics::crps(x, y);
    RC_ASSERT(near(metrics::crps(std::vector{x[0]}, y), std::abs(x[0] - y)));
    for (double& one : x) one = 4 * one + 1000;
    RC_ASSERT(near(metrics::crps(x, 4 * y + 1000), 4 * found, 1e-11));
  }));
}

TEST_CASE("the fair score of drawn samples does not depend on how many there are") {
  // Samples 0 and 1 with probability 1/2, truth 0: E|X - y| - E|X - X'| / 2 = 1/4, by listing all outcomes.
  for (const int n : {2, 3, 5, 8}) {
    double fair = 0, plain = 0;
    for (int outcome = 0; outcome < 1 << n; ++outcome) {
      std::vector<double> x;
      for (int i = 0; i < n; ++i) x.push_back(outcome >> i & 1);
      fair += metrics::crps(x, 0, crps_estimator::fair) / (1 << n);
      plain += metrics::crps(x, 0) / (1 << n);
    }
    CHECK(fair == doctest::Approx(.25));
    CHECK(plain == doctest::Approx(.25 + .25 / n));
  }
}

TEST_CASE("scores are gathered by step and over all, gaps left out, and halves merge") {
  CHECK(holds("crps_accumulator by its definition", [] {
    const auto horizon = *rc::gen::inRange<std::size_t>(1, 5);
    const auto estimator = *rc::gen::element(crps_estimator::plain, crps_estimator::fair);
    metrics::crps_accumulator all(horizon, estimator), first(horizon, estimator), second(horizon, estimator);
    std::vector<std::vector<double>> steps(horizon);
    std::vector<double> every;
    std::size_t unforecast = 0;
    for (int w = *rc::gen::inRange(0, 8); w > 0; --w) {
      const auto n = *rc::gen::inRange<std::size_t>(2, 12);
      const auto truth = draw_numbers(horizon, 4), samples = draw_numbers(horizon * n, 50);
      all.add(truth, samples);
      (*rc::gen::arbitrary<bool>() ? first : second).add(truth, samples);
      for (std::size_t h = 0; h < horizon; ++h) {
        std::vector<double> x;
        for (std::size_t i = 0; i < n; ++i) x.push_back(samples[i * horizon + h]);
        const double score = plain_crps(x, truth[h], estimator);
        if (!std::isnan(truth[h]) && std::isnan(score)) ++unforecast;
        if (std::isnan(score)) continue;
        steps[h].push_back(score);
        every.push_back(score);
      }
    }
    first.merge(second);
    for (const auto* found : {&all, &first}) {
      RC_ASSERT(found->count() == every.size());
      RC_ASSERT(found->unforecast() == unforecast);
      RC_ASSERT(near(found->mean(), fmsb::test::mean_of(every)));
      for (std::size_t h = 0; h < horizon; ++h)
        RC_ASSERT(near(found->by_step()[h], fmsb::test::mean_of(steps[h])));
    }
  }));
}

TEST_CASE("gaps give no score, and samples that are too few or not whole paths are refused") {
  using fmsb::usage_error;
  using values = std::vector<double>;
  CHECK(std::isnan(metrics::crps(values{1, 2}, kGap)));
  CHECK(std::isnan(metrics::crps(values{1, kGap}, 1)));
  CHECK(metrics::crps(std::vector<float>{1, 3}, 2) == .5);
  CHECK_THROWS_AS((void)metrics::crps(values{}, 1), usage_error);
  CHECK_THROWS_AS((void)metrics::crps(values{1}, 1, crps_estimator::fair), usage_error);
  metrics::crps_accumulator two(2);
  CHECK_THROWS_AS(two.add(values(2), values(5)), usage_error);
  CHECK_THROWS_AS(two.add(values(3), values(6)), usage_error);
  CHECK_THROWS_AS(two.add(values(2), values{}), usage_error);
  CHECK_THROWS_AS(two.merge(metrics::crps_accumulator(2, crps_estimator::fair)), usage_error);
  CHECK_THROWS_AS(two.merge(metrics::crps_accumulator(3)), usage_error);
  CHECK(std::isnan(two.mean()));
}
