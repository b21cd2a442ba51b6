#pragma once
#include "fmsb/core/isa.hpp"          // FMSB_KERNEL
#include "fmsb/nn/kernels/lanes.hpp"  // signal, detail::lane_rows

#include <algorithm>  // std::min, std::clamp, std::fill_n
#include <cstddef>    // std::size_t, std::ptrdiff_t
#include <numeric>    // std::gcd

/// How the work of a depthwise convolution is cut. Without LibTorch.
namespace fmsb::nn {

/// How rows fall into vectors and vectors into units of work. All of it follows from the shape and the width
/// of a vector, nothing from the number of threads: sums are the same at any.
struct lane_units {
  std::size_t rows, lanes, channels;
  std::size_t patterns;  ///< vectors until the lanes hold the same channels again
  std::size_t chunks;    ///< units that share a pattern, each with a part of the batch

  /// @param width    lanes of a vector
  /// @param vectors  that a unit has at least, where there are so many
  constexpr lane_units(std::size_t batch, std::size_t of_channels, std::size_t width,
                       std::size_t at_least = 1)
      : rows(batch * of_channels),
        lanes(width),
        channels(of_channels),
        patterns(std::min(of_channels / std::gcd(of_channels, width), vectors())),
        chunks(std::clamp<std::size_t>(kUnits / patterns, 1,
                                       std::max<std::size_t>(1, vectors() / patterns / at_least))) {}

  constexpr std::size_t count() const { return patterns * chunks; }
  constexpr std::size_t vectors() const { return (rows + lanes - 1) / lanes; }
  /// The channel in a lane of a pattern.
  std::size_t channel(std::size_t pattern, std::size_t lane) const {
    return (pattern * lanes + lane) % channels;
  }

  /// Vectors first, first + patterns, ... below last.
  struct vectors_of {
    std::size_t pattern, first, last;
  };
  vectors_of part(std::size_t unit) const {
    const std::size_t pattern = unit / chunks, chunk = unit % chunks,
                      mine = (vectors() - pattern + patterns - 1) / patterns;
    return {pattern, pattern + mine * chunk / chunks * patterns,
            pattern + mine * (chunk + 1) / chunks * patterns};
  }

 private:
  static constexpr std::size_t kUnits = 64;  // enough for any machine's threads, few enough to add up
};

/// Adds up the units' sums, in their order.
/// @param sums  [units, count + 1, lanes]
/// @param taps  [count, channels], overwritten
/// @param bias  [channels], overwritten; null: not wanted
template <class Real>
void add_up(const Real* sums, std::size_t count, const lane_units& units, Real* taps, Real* bias) {
  std::fill_n(taps, units.channels * count, Real{0});
  if (bias != nullptr) std::fill_n(bias, units.channels, Real{0});
  for (std::size_t u = 0; u < units.count(); ++u, sums += (count + 1) * units.lanes)
    for (std::size_t j = 0; j < units.lanes; ++j) {
      const std::size_t channel = units.channel(u / units.chunks, j);
      for (std::size_t i = 0; i < count; ++i) taps[i * units.channels + channel] += sums[i * units.lanes + j];
      if (bias != nullptr) bias[channel] += sums[count * units.lanes + j];
    }
}

namespace detail {

/// What kernels do with units, on vectors of `Lanes` doubles.
template <class Real, int Lanes>
struct units_at_width {
  static constexpr std::size_t size = isa::pack<Lanes, Real>::size;

  /// The rows of a vector; behind the last vector none.
  template <class Stored>
  FMSB_KERNEL void rows_of(const signal<Stored>& s, const lane_units& units, std::size_t vector,
                           lane_rows<Stored, size>& found) {
    const std::size_t first = vector * size;
    found.count = first < units.rows ? std::min(size, units.rows - first) : 0;
    found.stride = s.position;
    for (std::size_t j = 0; j < size; ++j) {
      const std::size_t row = j < found.count ? first + j : 0;
      found.rows[j] = s.at + static_cast<std::ptrdiff_t>(row / units.channels) * s.batch +
                      static_cast<std::ptrdiff_t>(row % units.channels) * s.channel;
    }
    found.adjacent =
        s.channel == 1 && found.count == size && found.rows[size - 1] == found.rows[0] + (size - 1);
  }

  /// The numbers of a pattern's channels, [many, size] from [many, channels].
  FMSB_KERNEL void lay_out(const Real* of_channels, std::size_t many, const lane_units& units,
                           std::size_t pattern, Real* into) {
    for (std::size_t j = 0; j < size; ++j)
      for (std::size_t i = 0; i < many; ++i)
        into[i * size + j] = of_channels[i * units.channels + units.channel(pattern, j)];
  }
};

}  // namespace detail
}  // namespace fmsb::nn
