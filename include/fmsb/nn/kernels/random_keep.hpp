#pragma once
#include "fmsb/core/isa.hpp"           // isa::run, FMSB_KERNEL
#include "fmsb/nn/kernels/panels.hpp"  // float_pack

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t, std::uint64_t
#include <cstring>  // std::memcpy

/// A random choice of numbers to keep, without LibTorch.
namespace fmsb::nn {

/// A stretch of the choice. Whether number i is kept depends on the seed and i alone, so that stretches may
/// be drawn in any order.
struct random_keep_task {
  std::uint64_t seed = 0;
  std::size_t first = 0, count = 0;  ///< numbers first .. first + count - 1
  double rate = 0;                   ///< probability that a number is not kept, from 0 up to 1
  float kept = 1;                    ///< what stands for a number that is kept; 0 for the others
  float* out = nullptr;              ///< [count]
};

namespace detail {

/// Hashes the place of each number (Wellons, "Prospecting for Hash Functions", 2018: the multipliers with
/// the least bias found), with a half of the seed before and one within.
struct random_keep_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const random_keep_task* task) {
    constexpr std::size_t size = float_pack<Lanes>::size;
    using vec = typename float_pack<Lanes>::type;
    using bits = typename float_pack<Lanes>::bits;
    const random_keep_task& t = *task;
    const auto start = static_cast<std::uint32_t>(t.seed), within = static_cast<std::uint32_t>(t.seed >> 32);
    const auto least = static_cast<std::uint32_t>(t.rate * 4294967296.0);
    bits lane;
    for (std::size_t i = 0; i < size; ++i) lane[i] = static_cast<std::uint32_t>(i);
    for (std::size_t i = 0; i < t.count; i += size) {
      bits h = (lane + static_cast<std::uint32_t>(t.first + i)) ^ start;
      h ^= h >> 16;
      h *= 0x7feb352dU;
      h ^= (h >> 15) ^ within;
      h *= 0x846ca68bU;
      h ^= h >> 16;
      const vec x = h >= least ? vec{} + t.kept : vec{};
      if (i + size <= t.count) {
        std::memcpy(t.out + i, &x, sizeof(vec));
      } else {
        for (std::size_t j = 0; i + j < t.count; ++j) t.out[i + j] = x[j];
      }
    }
  }
};

}  // namespace detail

/// Draws the stretch.
inline void draw_kept(const random_keep_task& task) { isa::run<detail::random_keep_kernel>(&task); }

}  // namespace fmsb::nn
