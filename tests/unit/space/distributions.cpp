#include "fmsb/space/distributions.hpp"

#include "fmsb/core/random_bits.hpp"

#include "support/property.hpp"

#include <cmath>   // std::abs, std::erfc, std::log
#include <map>     // std::map
#include <string>  // std::string

#include "support/doctest.hpp"

namespace {

namespace space = fmsb::space;
using fmsb::test::holds;

double drawn_unit() {
  return (static_cast<double>(*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 52)) + 0.5) * 0x1p-52;
}

template <class Distribution>
void check_support() {
  CHECK(holds("a quantile belongs to the support, and quantiles ascend", [] {
    const double u = drawn_unit(), v = drawn_unit();
    const auto a = Distribution::quantile(std::min(u, v)), b = Distribution::quantile(std::max(u, v));
    RC_ASSERT(Distribution::contains(a));
    RC_ASSERT(Distribution::contains(b));
    RC_ASSERT(a <= b);
    RC_ASSERT(Distribution(a).value() == a);
  }));
}

}  // namespace

TEST_CASE("every distribution draws what it contains") {
  check_support<space::uniform<-2.5, 7.0>>();
  check_support<space::log_uniform<1e-9, 1e9>>();
  check_support<space::normal<1.0, 3.0>>();
  check_support<space::uniform_integer<-40, 40, 7>>();
  check_support<space::log_uniform_integer<1, 100000>>();
  check_support<space::choice<1, 2, 4, 8>>();
}

TEST_CASE("the quantile of log_uniform is uniform in the logarithm") {
  CHECK(holds("log q(u) is linear in u", [] {
    const double u = drawn_unit();
    const double expected = std::log(1e-5) + u * (std::log(0.5) - std::log(1e-5));
    RC_ASSERT(std::abs(std::log(space::log_uniform<1e-5, 0.5>::quantile(u)) - expected) < 1e-14);
  }));
}

TEST_CASE("the quantile of normal is the inverse of its distribution function") {
  CHECK(holds("F(q(u)) == u", [] {
    const double u = drawn_unit();
    const double back = 0.5 * std::erfc(-space::normal<0.0, 1.0>::quantile(u) / std::sqrt(2.0));
    RC_ASSERT(std::abs(back - u) <= 4e-16 + 1e-14 * u);
  }));
  CHECK(space::normal<0.0, 1.0>::quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-15));
  CHECK(space::normal<0.0, 1.0>::quantile(1e-10) == doctest::Approx(-6.361340902404056).epsilon(1e-15));
  CHECK(space::normal<0.0, 1.0>::quantile(1e-3) == doctest::Approx(-3.090232306167813).epsilon(1e-15));
}

TEST_CASE("integers come as often as they should") {
  fmsb::random_bits bits(11);
  std::map<std::int64_t, int> even, logarithmic;
  constexpr int draws = 70'000;
  for (int i = 0; i < draws; ++i) {
    ++even[space::uniform_integer<3, 9>::quantile(fmsb::unit_interval(bits))];
    ++logarithmic[space::log_uniform_integer<3, 9>::quantile(fmsb::unit_interval(bits))];
  }
  CHECK(even.size() == 7);
  CHECK(logarithmic.size() == 7);
  for (int v = 3; v <= 9; ++v) {
    CHECK(std::abs(even[v] - draws / 7.0) < 5 * std::sqrt(draws / 7.0));
    const double expected = draws * std::log((v + 1.0) / v) / std::log(10.0 / 3.0);
    CHECK(std::abs(logarithmic[v] - expected) < 5 * std::sqrt(expected));
  }
}

TEST_CASE("a value outside of its distribution is refused in a sentence") {
  CHECK_THROWS_WITH_AS((space::log_uniform<1e-5, 0.5>(3)),
                       "The value 3 does not belong to log_uniform(1e-05, 0.5).", fmsb::usage_error);
  CHECK_THROWS_WITH_AS((space::choice<0.0, 0.05, 0.1>(0.07)),
                       "The value 0.07 does not belong to choice(0, 0.05, 0.1).", fmsb::usage_error);
  CHECK_THROWS_WITH_AS((space::choice<"cosine", "step">("linear")),
                       "The value linear does not belong to choice(cosine, step).", fmsb::usage_error);
  CHECK_THROWS_WITH_AS((space::uniform_integer<0, 10, 5>(7)),
                       "The value 7 does not belong to uniform_integer(0, 10, step 5).", fmsb::usage_error);
  CHECK_THROWS_AS((space::normal<0.0, 1.0>(std::nan(""))), fmsb::usage_error);
  CHECK_THROWS_AS((space::uniform<0.0, 1.0>(std::nan(""))), fmsb::usage_error);
}

TEST_CASE("a refused value leaves the old one") {
  space::uniform<0.0, 1.0> share = 0.25;
  CHECK_THROWS_AS(share = 2, fmsb::usage_error);
  CHECK(share == 0.25);
}

TEST_CASE("a word outlives the text that it was given as") {
  space::choice<"cosine", "step"> schedule;
  {
    const std::string text = "step";
    schedule = text;
  }
  CHECK(schedule == "step");
  CHECK(schedule.value().data() == space::choice<"cosine", "step">::values[1].data());
}

TEST_CASE("what would lose a fraction does not convert to an integer") {
  static_assert(!std::is_constructible_v<space::uniform_integer<0, 9>, double>);
  static_assert(std::is_constructible_v<space::uniform<0.0, 9.0>, int>);
  CHECK(space::uniform<0.0, 9.0>(3) == 3.0);
}
