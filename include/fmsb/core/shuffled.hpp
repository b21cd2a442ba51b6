#pragma once
#include "fmsb/core/random_bits.hpp"  // random_bits

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <numeric>  // std::iota
#include <utility>  // std::swap
#include <vector>   // std::vector

namespace fmsb {

/// The numbers from 0 to n - 1 in an order that follows from seed and stream alone (Fisher and Yates).
inline std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed, std::uint64_t stream = 0) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random_bits bits(seed, stream);
  for (std::uint64_t left = n; left > 1; --left) {
    const std::uint64_t cut = -left % left;  // 2^64 mod left: below it a draw would favour some
    std::uint64_t drawn = bits();
    while (drawn < cut) drawn = bits();
    std::swap(order[left - 1], order[drawn % left]);
  }
  return order;
}

}  // namespace fmsb
