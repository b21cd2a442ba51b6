#pragma once
#include "fmsb/nn/kernels/lanes.hpp"  // signal, bfloat16, computed_in

#include "support/guarded.hpp"   // guarded
#include "support/property.hpp"  // rc::gen

#include <cmath>        // std::sqrt
#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <type_traits>  // std::is_same_v

namespace fmsb::test {

template <class Stored>
double value_of(Stored x) {
  if constexpr (std::is_same_v<Stored, nn::bfloat16>)
    return static_cast<double>(nn::detail::lanes<Stored, 2>::load_one(&x));
  else
    return static_cast<double>(x);
}

template <class Stored>
Stored stored(double value) {
  Stored x{};
  nn::detail::lanes<Stored, 2>::store_one(static_cast<nn::computed_in<Stored>>(value), &x);
  return x;
}

inline double drawn_number() { return *rc::gen::inRange(-1000, 1000) / 500.0; }

/// The orders of memory that kernels must take.
enum class memory_order { channels_first, channels_last, with_gaps };

/// [batch, channels, rows, length] between guard pages.
template <class Stored>
struct held_signal {
  guarded<Stored> memory;
  std::ptrdiff_t batch, channel, row, position;

  held_signal(memory_order o, std::size_t b, std::size_t c, std::size_t h, std::size_t l,
              typename guarded<Stored>::side side)
      : memory(
            b * c * h * l * (o == memory_order::with_gaps ? 2 : 1) - (o == memory_order::with_gaps ? 1 : 0),
            stored<Stored>(7), side) {
    const auto channels = static_cast<std::ptrdiff_t>(c), rows = static_cast<std::ptrdiff_t>(h),
               length = static_cast<std::ptrdiff_t>(l);
    position = o == memory_order::channels_first ? 1 : o == memory_order::channels_last ? channels : 2;
    row = position * length;
    channel = o == memory_order::channels_last ? 1 : row * rows;
    batch = channels * rows * length * (o == memory_order::with_gaps ? 2 : 1);
  }
  void draw() {
    for (Stored& x : memory) x = stored<Stored>(drawn_number());
  }
  Stored& at(std::size_t b, std::size_t c, std::size_t h, std::size_t l) const {
    return memory[static_cast<std::size_t>(
        static_cast<std::ptrdiff_t>(b) * batch + static_cast<std::ptrdiff_t>(c) * channel +
        static_cast<std::ptrdiff_t>(h) * row + static_cast<std::ptrdiff_t>(l) * position)];
  }
  /// The root of the sum of all squares, gaps included.
  double norm() const {
    double sum = 0;
    for (const Stored& x : memory) sum += value_of(x) * value_of(x);
    return std::sqrt(sum);
  }
  template <class T>
  nn::signal<T> view() const {
    return {memory.data(), batch, channel, position, row};
  }
};

}  // namespace fmsb::test
