#include "fmsb/core/number_text.hpp"

#include "support/property.hpp"

#include <bit>      // std::bit_cast
#include <cmath>    // std::isfinite
#include <cstdint>  // std::uint64_t

#include "support/doctest.hpp"

TEST_CASE("a number's text reads back as the number") {
  CHECK(fmsb::test::holds("doubles of any bits", [](std::uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(number));
    RC_ASSERT(fmsb::read_number<double>(fmsb::number_text(number)) == number);
  }));
  CHECK(fmsb::test::holds("integers", [](std::int64_t number) {
    RC_ASSERT(fmsb::read_number<std::int64_t>(fmsb::number_text(number)) == number);
  }));
}

TEST_CASE("a number's text is the shortest") {
  CHECK(fmsb::number_text(0.1) == "0.1");
  CHECK(fmsb::number_text(1e-5) == "1e-05");
  CHECK(fmsb::number_text(-3) == "-3");
}

TEST_CASE("only a whole text is a number") {
  CHECK(fmsb::read_number<double>("+2.5") == 2.5);
  for (const char* text : {"", "+", " 1", "1 ", "0.1x", "n/a", "++1", "1,5"})
    CHECK_FALSE(fmsb::read_number<double>(text).has_value());
  CHECK_FALSE(fmsb::read_number<int>("2.5").has_value());
  CHECK_FALSE(fmsb::read_number<int>("99999999999").has_value());
}
