#pragma once
#include "fmsb/core/isa.hpp"  // isa::pack, FMSB_KERNEL, FMSB_UNROLL

#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <cstdint>      // std::uint16_t, std::uint32_t
#include <cstring>      // std::memcpy
#include <type_traits>  // std::remove_const_t, std::is_same_v
#include <utility>      // std::index_sequence

/// Rows of a signal side by side: a vector holds one position of several rows, a row a lane. What is computed
/// position by position then runs on all rows at once, whatever stands at which offset. Without LibTorch.
namespace fmsb::nn {

/// The upper half of a float, as c10::BFloat16 stores it.
struct bfloat16 {
  std::uint16_t bits;
};

/// The type in which numbers that are stored as `Stored` are computed.
template <class Stored>
using computed_in = std::conditional_t<std::is_same_v<std::remove_const_t<Stored>, bfloat16>, float,
                                       std::remove_const_t<Stored>>;

/// Instances for doubles, which check gradients more often than they train, end at AVX2: a fifth less to
/// compile.
template <class Real>
inline constexpr isa::level widest_for = std::is_same_v<Real, double> ? isa::level::avx2 : isa::level::avx512;

/// Rows of a kernel's vector.
template <class Real>
constexpr std::size_t lanes_at(isa::level level) {
  const auto l = level < widest_for<Real> ? level : widest_for<Real>;
  return (l == isa::level::avx512 ? 64u : l == isa::level::avx2 ? 32u : 16u) / sizeof(Real);
}

/// A signal [batch, channels, length], or [batch, channels, rows, length], that lies anywhere. Strides count
/// elements.
template <class Stored>
struct signal {
  Stored* at = nullptr;
  std::ptrdiff_t batch = 0, channel = 0, position = 1, row = 0;  ///< strides
};

namespace detail {

/// The rows of a vector: `rows[j]` is where the one in lane j begins. Lanes from `count` on have none.
template <class Stored, std::size_t Size>
struct lane_rows {
  Stored* rows[Size] = {};
  std::size_t count = 0;
  std::ptrdiff_t stride = 1;  ///< from position to position
  bool adjacent = false;      ///< whether the rows of a position lie side by side
};

/// Apart from `lanes`, for g++ 12 converts between vectors in a template only where their types are
/// another's.
template <std::size_t Size>
struct bits_of {
  using halves [[gnu::vector_size(Size * sizeof(std::uint16_t))]] = std::uint16_t;
  using wholes [[gnu::vector_size(Size * sizeof(std::uint32_t))]] = std::uint32_t;
};

template <class Stored, int Lanes>
struct lanes {
  using plain = std::remove_const_t<Stored>;
  using real = computed_in<Stored>;
  using vec = typename isa::pack<Lanes, real>::type;
  using loose = typename isa::pack<Lanes, real>::unaligned;
  static constexpr std::size_t size = isa::pack<Lanes, real>::size;
  using halves = typename bits_of<size>::halves;
  using wholes = typename bits_of<size>::wholes;
  using rows_type = lane_rows<Stored, size>;

  /// `size` numbers that lie side by side.
  FMSB_KERNEL void load(const plain* from, vec& x) {
    if constexpr (std::is_same_v<plain, bfloat16>) {
      halves bits;
      std::memcpy(&bits, from, sizeof(bits));
      const wholes wide = __builtin_convertvector(bits, wholes) << 16;
      std::memcpy(&x, &wide, sizeof(x));
    } else {
      x = *reinterpret_cast<const loose*>(from);
    }
  }

  FMSB_KERNEL void store(const vec& x, plain* to) {
    if constexpr (std::is_same_v<plain, bfloat16>) {
      wholes bits;
      std::memcpy(&bits, &x, sizeof(bits));
      // To the nearest, halfway to the even one; what is no number keeps a bit that says so.
      const wholes nearest = bits + (0x7FFFu + ((bits >> 16) & 1u));
      const halves out = __builtin_convertvector((x == x ? nearest : bits | 0x400000u) >> 16, halves);
      std::memcpy(to, &out, sizeof(out));
    } else {
      *reinterpret_cast<loose*>(to) = x;
    }
  }

  FMSB_KERNEL real load_one(const plain* from) {
    if constexpr (std::is_same_v<plain, bfloat16>) {
      const std::uint32_t bits = static_cast<std::uint32_t>(from->bits) << 16;
      float x;
      std::memcpy(&x, &bits, sizeof(x));
      return x;
    } else {
      return *from;
    }
  }

  FMSB_KERNEL void store_one(real x, plain* to) {
    if constexpr (std::is_same_v<plain, bfloat16>) {
      std::uint32_t bits;
      std::memcpy(&bits, &x, sizeof(bits));
      const std::uint32_t out = x == x ? bits + (0x7FFFu + ((bits >> 16) & 1u)) : bits | 0x400000u;
      to->bits = static_cast<std::uint16_t>(out >> 16);
    } else {
      *to = x;
    }
  }

  /// A square of numbers turned over its diagonal.
  FMSB_KERNEL void transpose(vec (&v)[size]) {
    if constexpr (size >= 16) exchange<8>(v);
    if constexpr (size >= 8) exchange<4>(v);
    if constexpr (size >= 4) exchange<2>(v);
    exchange<1>(v);
  }

  /// Positions [first, first + count) of the rows, [count, size]; position p goes to vector
  /// (p - first) * spread of `into`. All of them must be there.
  FMSB_KERNEL void gather(const rows_type& from, std::size_t first, std::size_t count, std::size_t spread,
                          real* into) {
    std::size_t i = 0;
    if (from.adjacent) {
      for (; i < count; ++i) {
        vec x;
        load(from.rows[0] + static_cast<std::ptrdiff_t>(first + i) * from.stride, x);
        *reinterpret_cast<vec*>(into + i * spread * size) = x;
      }
      return;
    }
    if (from.stride == 1)
      for (; i + size <= count; i += size) {
        vec v[size];
        load_square(from, first + i, v);
        transpose(v);
        FMSB_UNROLL
        for (std::size_t j = 0; j < size; ++j) *reinterpret_cast<vec*>(into + (i + j) * spread * size) = v[j];
      }
    for (; i < count; ++i)
      for (std::size_t j = 0; j < size; ++j)
        into[i * spread * size + j] =
            j < from.count ? load_one(from.rows[j] + static_cast<std::ptrdiff_t>(first + i) * from.stride)
                           : real{0};
  }

  /// What lies in `size` vectors, a position each, into the rows at positions [first, first + size).
  FMSB_KERNEL void scatter(vec (&v)[size], const rows_type& into, std::size_t first) {
    if (into.adjacent) {
      FMSB_UNROLL
      for (std::size_t j = 0; j < size; ++j)
        store(v[j], into.rows[0] + static_cast<std::ptrdiff_t>(first + j) * into.stride);
    } else if (into.stride == 1) {
      transpose(v);
      if (into.count == size) {
        FMSB_UNROLL
        for (std::size_t j = 0; j < size; ++j) store(v[j], into.rows[j] + first);
      } else {
        for (std::size_t j = 0; j < into.count; ++j) store(v[j], into.rows[j] + first);
      }
    } else {
      for (std::size_t j = 0; j < size; ++j) scatter_one(v[j], into, first + j);
    }
  }

  FMSB_KERNEL void scatter_one(const vec& x, const rows_type& into, std::size_t at) {
    alignas(64) real values[size];
    *reinterpret_cast<vec*>(values) = x;
    for (std::size_t j = 0; j < into.count; ++j)
      store_one(values[j], into.rows[j] + static_cast<std::ptrdiff_t>(at) * into.stride);
  }

 private:
  FMSB_KERNEL void load_square(const rows_type& from, std::size_t first, vec (&v)[size]) {
    if (from.count == size) {
      FMSB_UNROLL
      for (std::size_t j = 0; j < size; ++j) load(from.rows[j] + first, v[j]);
    } else {
      for (std::size_t j = 0; j < size; ++j) v[j] = vec{};
      for (std::size_t j = 0; j < from.count; ++j) load(from.rows[j] + first, v[j]);
    }
  }

  /// Of each pair of rows at this distance, the one's right halves for the other's left ones.
  template <std::size_t Distance>
  FMSB_KERNEL void exchange(vec (&v)[size]) {
    FMSB_UNROLL
    for (std::size_t i = 0; i < size; ++i)
      if ((i & Distance) == 0)
        exchange_pair<Distance>(v[i], v[i + Distance], std::make_index_sequence<size>{});
  }
  template <std::size_t Distance, std::size_t... I>
  FMSB_KERNEL void exchange_pair(vec& a, vec& b, std::index_sequence<I...>) {
    const vec left =
        __builtin_shufflevector(a, b, static_cast<int>((I & Distance) == 0 ? I : size + (I ^ Distance))...);
    const vec right =
        __builtin_shufflevector(a, b, static_cast<int>((I & Distance) == 0 ? I ^ Distance : size + I)...);
    a = left;
    b = right;
  }
};

}  // namespace detail
}  // namespace fmsb::nn
