#include "fmsb/core/elementary.hpp"

#include "support/property.hpp"

#include <cmath>   // std::exp, std::log, std::sqrt, std::nextafter
#include <limits>  // std::numeric_limits

#include "support/doctest.hpp"

namespace {

/// The distance from a reference in units in its last place.
double units_apart(double value, double reference) {
  const double unit =
      std::nextafter(std::abs(reference), std::numeric_limits<double>::infinity()) - std::abs(reference);
  return std::abs(value - reference) / unit;
}

double drawn(double low, double high) {
  const auto cell = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 52);
  return low + (high - low) * static_cast<double>(cell) * 0x1p-52;
}

}  // namespace

TEST_CASE("the portable functions agree with the C library within 2 units in the last place") {
  using fmsb::test::holds;
  CHECK(holds("exp", [] {
    const double x = drawn(-700, 700);
    RC_ASSERT(units_apart(fmsb::elementary::exp(x), std::exp(x)) <= 2.0);
  }));
  CHECK(holds("log over all magnitudes", [] {
    const double x = std::exp(drawn(-700, 700));
    RC_ASSERT(units_apart(fmsb::elementary::log(x), std::log(x)) <= 2.0);
  }));
  CHECK(holds("log near one, where it cancels", [] {
    const double x = drawn(0.9, 1.1);
    RC_ASSERT((x == 1.0 || units_apart(fmsb::elementary::log(x), std::log(x)) <= 2.0));
  }));
  CHECK(holds("sqrt", [] {
    const double x = std::exp(drawn(-700, 700));
    RC_ASSERT(units_apart(fmsb::elementary::sqrt(x), std::sqrt(x)) <= 2.0);
  }));
}

TEST_CASE("the portable functions reach the ends of the range of doubles") {
  const double least = std::numeric_limits<double>::denorm_min();
  const double most = std::numeric_limits<double>::max();
  for (const double x : {least, 1e-310, std::numeric_limits<double>::min(), most}) {
    CHECK(units_apart(fmsb::elementary::log(x), std::log(x)) <= 2);
    CHECK(units_apart(fmsb::elementary::sqrt(x), std::sqrt(x)) <= 2);
  }
  CHECK(units_apart(fmsb::elementary::exp(709.78), std::exp(709.78)) <= 2);
  CHECK(fmsb::elementary::exp(-745) == least);
  CHECK(std::isnan(fmsb::elementary::exp(std::nan(""))));
  CHECK(std::isnan(fmsb::elementary::log(std::nan(""))));
  CHECK(fmsb::elementary::sqrt(fmsb::elementary::infinity) == fmsb::elementary::infinity);
}

TEST_CASE("the compiler and the machine compute the same bits") {
  constexpr double at_compile_time[] = {fmsb::elementary::exp(-3.7), fmsb::elementary::log(12.3),
                                        fmsb::elementary::sqrt(2)};
  volatile double exponent = -3.7, number = 12.3, two = 2;
  CHECK(fmsb::elementary::exp(exponent) == at_compile_time[0]);
  CHECK(fmsb::elementary::log(number) == at_compile_time[1]);
  CHECK(fmsb::elementary::sqrt(two) == at_compile_time[2]);
}
