#include "fmsb/core/random_bits.hpp"

#include <array>    // std::array
#include <cmath>    // std::sqrt
#include <cstdint>  // std::uint64_t
#include <random>   // std::mt19937_64, std::uniform_random_bit_generator
#include <set>      // std::set

#include "support/doctest.hpp"

static_assert(std::uniform_random_bit_generator<fmsb::random_bits>);

TEST_CASE("numbers from the unit interval fill its cells evenly") {
  fmsb::random_bits bits(3);
  std::array<int, 64> cells{};
  constexpr int draws = 64'000;
  for (int i = 0; i < draws; ++i) ++cells[static_cast<std::size_t>(64 * fmsb::unit_interval(bits))];
  double chi_square = 0;
  for (const int n : cells) chi_square += (n - 1000.0) * (n - 1000.0) / 1000.0;
  CHECK(chi_square > 30);  // 63 degrees of freedom: about 1 in 10,000 on either side
  CHECK(chi_square < 113);
}

TEST_CASE("streams of one seed and seeds of one stream differ from their first number on") {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (std::uint64_t stream = 0; stream < 100; ++stream) first.insert(fmsb::random_bits(seed, stream)());
  CHECK(first.size() == 10'000);
}

TEST_CASE("neighbouring streams are uncorrelated") {
  double sum = 0;
  constexpr int draws = 20'000;
  for (std::uint64_t stream = 0; stream < draws; ++stream) {
    fmsb::random_bits left(1, stream), right(1, stream + 1);
    sum += (fmsb::unit_interval(left) - 0.5) * (fmsb::unit_interval(right) - 0.5);
  }
  CHECK(std::abs(sum * 12 / draws) < 4 / std::sqrt(draws));
}

TEST_CASE("the standard's own generator of 64 bits serves as well") {
  std::mt19937_64 bits(5489);
  CHECK(fmsb::unit_interval(bits) == (static_cast<double>(14514284786278117030u >> 12) + 0.5) * 0x1p-52);
}
