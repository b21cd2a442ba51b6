#include "fmsb/core/extent.hpp"

#include "support/doctest.hpp"

TEST_CASE("an extent refuses what its type rules out") {
  CHECK_THROWS_WITH_AS(
      fmsb::extent<4>(5),
      "An extent is 4 by its type, but 5 was given at run time. Give the same size, or declare the "
      "extent fmsb::dynamic.",
      fmsb::usage_error);
  CHECK_THROWS_WITH_AS(fmsb::extent<fmsb::dynamic>(-3),
                       "A dynamic extent was given the size -3. Sizes count from 0.", fmsb::usage_error);
}

TEST_CASE("an extent reads as its size, from the type or from the run") {
  for (fmsb::index_t n : {0, 1, 700}) CHECK(fmsb::extent<fmsb::dynamic>(n) == n);
  CHECK(fmsb::extent<7>(7) == 7);
  CHECK(fmsb::extent<7>() == 7);
}
