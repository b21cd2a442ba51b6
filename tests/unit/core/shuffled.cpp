#include "fmsb/core/shuffled.hpp"

#include "support/property.hpp"

#include "support/doctest.hpp"

using fmsb::shuffled, fmsb::test::holds;

TEST_CASE("every number comes exactly once, in an order that seed and stream fix") {
  CHECK(holds("shuffled is a permutation and repeats itself", [](std::uint64_t seed, std::uint64_t stream) {
    const auto n = *rc::gen::inRange<std::size_t>(0, 300);
    const auto order = shuffled(n, seed, stream);
    std::vector<bool> seen(n);
    for (const auto i : order) {
      RC_ASSERT(i < n);
      RC_ASSERT(!seen[i]);
      seen[i] = true;
    }
    RC_ASSERT(order.size() == n);
    RC_ASSERT(shuffled(n, seed, stream) == order);
  }));
}

TEST_CASE("another seed and another stream give another order") {
  CHECK(shuffled(50, 1) != shuffled(50, 2));
  CHECK(shuffled(50, 1, 0) != shuffled(50, 1, 1));
}

TEST_CASE("the order is the same on every machine") {
  CHECK(shuffled(8, 0) == std::vector<std::size_t>{0, 2, 1, 3, 7, 4, 5, 6});
}

TEST_CASE("every order of four numbers is equally frequent") {
  std::vector<int> times(256);
  constexpr int draws = 24000;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    const auto order = shuffled(4, seed);
    ++times[order[0] + 4 * order[1] + 16 * order[2] + 64 * order[3]];
  }
  // 24 orders, each binomial with mean 1000 and deviation 31: five deviations either way.
  int orders = 0;
  for (const int count : times) {
    if (count == 0) continue;
    ++orders;
    CHECK(count > 845);
    CHECK(count < 1155);
  }
  CHECK(orders == 24);
}
