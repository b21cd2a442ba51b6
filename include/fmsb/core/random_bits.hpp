#pragma once
#include <cstdint>  // std::uint64_t

namespace fmsb {

/// A stream of 64 random bits at a time: splitmix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014, figure 17 with the constants of variant 13).
///
/// Small enough for constant expressions and specified to the bit, as `std::mt19937_64` is. Streams
/// with one seed and different numbers (trials, workers) are independent for every practical purpose.
/// Satisfies `std::uniform_random_bit_generator`.
class random_bits {
 public:
  using result_type = std::uint64_t;

  constexpr explicit random_bits(std::uint64_t seed, std::uint64_t stream = 0)
      : state_(mixed(seed) ^ mixed(stream + 0x632be59bd9b4e019u)) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  constexpr result_type operator()() { return mixed(state_ += 0x9e3779b97f4a7c15u); }

 private:
  static constexpr std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

/// A number strictly between 0 and 1 from the upper 52 bits that a 64-bit generator gives: the middle of
/// one of 2^52 equal cells. Unlike `std::uniform_real_distribution` it is the same everywhere.
template <class Generator>
constexpr double unit_interval(Generator& bits) {
  static_assert(
      Generator::min() == 0 && Generator::max() == ~std::uint64_t{0},
      "fmsb::unit_interval: the generator must give 64 random bits at a time, as fmsb::random_bits and "
      "std::mt19937_64 do");
  return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52;
}

}  // namespace fmsb
