#pragma once
#include "fmsb/core/isa.hpp"  // isa::run

#include <cstddef>  // std::size_t
#include <span>     // std::span

namespace fmsb::ar {

namespace detail {

/// out[j] += sum_i weight[i] * x[j + i], in registers: a tile of outputs stays put while the weights
/// stream by. Weights are taken in stretches so that no sum is longer than `stretch` terms before it
/// joins its total; that keeps rounding near that of a pairwise sum.
struct correlate_kernel {
  static constexpr std::size_t stretch = 1024;

  template <int Lanes, std::size_t Tile>
  FMSB_KERNEL void tile(double* out, const double* weight, std::size_t count, const double* x) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    constexpr std::size_t lanes = Lanes;
    vec sum[Tile] = {};
    for (std::size_t i = 0; i < count; ++i) {
      const vec w = weight[i] - vec{};  // broadcast
      for (std::size_t k = 0; k < Tile; ++k) sum[k] += w * *reinterpret_cast<const loose*>(x + i + k * lanes);
    }
    for (std::size_t k = 0; k < Tile; ++k) *reinterpret_cast<loose*>(out + k * lanes) += sum[k];
  }

  template <int Lanes>
  FMSB_KERNEL void run(double* out, std::size_t outputs, const double* weight, std::size_t weights,
                       const double* x) {
    constexpr std::size_t lanes = Lanes;
    for (std::size_t first = 0; first < weights; first += stretch) {
      const std::size_t count = weights - first < stretch ? weights - first : stretch;
      const double* w = weight + first;
      const double* shifted = x + first;
      std::size_t j = 0;
      for (; j + 8 * lanes <= outputs; j += 8 * lanes) tile<Lanes, 8>(out + j, w, count, shifted + j);
      for (; j + lanes <= outputs; j += lanes) tile<Lanes, 1>(out + j, w, count, shifted + j);
      for (; j < outputs; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += w[i] * shifted[j + i];
        out[j] += sum;
      }
    }
  }
};

}  // namespace detail

/// Adds to each `out[j]` the inner product of `weights` with `x[j .. j + weights.size())`.
///
/// The one inner loop of this folder: with the series as weights it gives autocovariances, with
/// coefficients as weights it filters a series. `x` holds `out.size() + weights.size() - 1` values.
inline void correlate(std::span<double> out, std::span<const double> weights, const double* x) {
  isa::run<detail::correlate_kernel>(out.data(), out.size(), weights.data(), weights.size(), x);
}

}  // namespace fmsb::ar
