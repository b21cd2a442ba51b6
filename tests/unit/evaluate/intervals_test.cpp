#include "fmsb/evaluate/intervals.hpp"

#include "fmsb/core/error.hpp"

#include "support/property.hpp"

#include <cmath>   // std::abs
#include <vector>  // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds;

TEST_CASE("coverage, width and interval score are the means of their definitions") {
  metrics::interval_accumulator gathered(.8);
  gathered.add(std::vector{1.0, 2.0, 5.0, -1.0, std::nan("")}, std::vector{0.0, 2.0, 1.0, 0.0, 0.0},
               std::vector{2.0, 3.0, 4.0, 1.0, 1.0});
  const auto scores = gathered.result();
  CHECK(scores.count == 4);
  CHECK(scores.coverage == 0.5);
  CHECK(scores.mean_width == 1.75);
  CHECK(scores.score == doctest::Approx((2 + 1 + (3 + 10 * 1) + (1 + 10 * 1)) / 4.0));
  CHECK(scores.level == .8);
}

TEST_CASE("errors within fixed ends score as targets within moved ones, whole or merged") {
  CHECK(holds("add_errors == add, and merge is addition", [] {
    const auto draw = [] { return static_cast<double>(*rc::gen::inRange(-500, 501)) / 4; };
    const auto count = *rc::gen::inRange<std::size_t>(1, 40);
    const double a = draw(), b = draw(), lower = std::min(a, b), upper = std::max(a, b);
    metrics::interval_accumulator by_error(.9), by_target(.9), tail(.9);
    for (std::size_t i = 0; i < count; ++i) {
      const double target = draw(), forecast = draw();
      by_error.add_errors(std::vector{target - forecast}, lower, upper);
      (i % 2 == 0 ? by_target : tail)
          .add(std::vector{target}, std::vector{forecast + lower}, std::vector{forecast + upper});
    }
    by_target.merge(tail);
    const auto x = by_error.result(), y = by_target.result();
    RC_ASSERT(x.count == y.count);
    RC_ASSERT(x.coverage == y.coverage);
    RC_ASSERT(std::abs(x.score - y.score) <= 1e-9 * (1 + x.score));
  }));
}

TEST_CASE("levels outside (0, 1) and ends that do not match the targets are refused") {
  CHECK_THROWS_AS(metrics::interval_accumulator(1), fmsb::usage_error);
  CHECK_THROWS_AS(metrics::interval_accumulator(0), fmsb::usage_error);
  metrics::interval_accumulator gathered(.9);
  CHECK_THROWS_AS(gathered.add(std::vector{1.0}, std::vector<double>{}, std::vector{1.0}), fmsb::usage_error);
}
