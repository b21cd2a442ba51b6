#pragma once
#include "fmsb/core/isa.hpp"               // isa::run, FMSB_KERNEL, FMSB_UNROLL
#include "fmsb/nn/kernels/lane_units.hpp"  // lane_units, detail::units_at_width
#include "fmsb/nn/kernels/lanes.hpp"       // signal, computed_in, detail::lanes

#include <algorithm>    // std::min, std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <cstring>      // std::memset
#include <numeric>      // std::gcd
#include <type_traits>  // std::is_same_v

/// Depthwise convolution over one axis with taps at given offsets, and its gradients, without LibTorch:
///
///     y[b, c, t] = bias[c] + sum_i taps[i, c] x[b, c, stride t + Offsets[i]],
///
/// where x is zero outside its length. Rows stand in lanes, so that every tap of every row is one aligned
/// vector, and the offsets are template arguments, so that the sum is straight code.
namespace fmsb::nn {

/// What the kernels read and write. Outputs: as many as multiples of the stride below the length.
template <class Stored>
struct depthwise_task {
  using real = computed_in<Stored>;
  std::size_t batch = 0, channels = 0, length = 0;  ///< of x
  std::size_t stride = 1;
  const real* taps = nullptr;  ///< [offsets, channels]
  const real* bias = nullptr;  ///< [channels]; null: none
  signal<const Stored> x;      ///< for the gradient of the taps, or forward
  signal<const Stored> gy;     ///< gradient of the output
  signal<Stored> y;
  signal<Stored> gx;  ///< null: not wanted
  real* sums =
      nullptr;  ///< [units, offsets + 1, lanes], for the gradients of taps and bias; null: not wanted
  real* scratch = nullptr;  ///< `depthwise_scratch` numbers of a thread's own, at the start of a cache line

  std::size_t outputs() const { return (length + stride - 1) / stride; }
};

namespace detail {

template <std::size_t Count>
constexpr std::ptrdiff_t reach_of(const std::array<int, Count>& offsets) {
  std::ptrdiff_t most = 0;
  for (const int o : offsets) most = std::max<std::ptrdiff_t>(most, o < 0 ? -o : o);
  return most;
}

/// Positions that are computed from one filling of the buffers: few enough for the second cache.
inline constexpr std::size_t kDepthwiseTile = 1024;

template <std::array Offsets>
struct depthwise {
  static constexpr std::size_t count = Offsets.size();
  static constexpr std::ptrdiff_t reach = reach_of(Offsets);
  static constexpr std::size_t buffer_positions = kDepthwiseTile + 2 * static_cast<std::size_t>(reach);

  /// Taps that are straight code at a time. It is 15 % faster than a loop and takes long to compile: others
  /// than floats, and instruction sets that hardly any machine is left with, have the loop.
  template <class Real, int Lanes>
  static constexpr std::size_t straight = std::is_same_v<Real, float>&& Lanes > 2 ? 64 : 0;

  template <class Stored, int Lanes>
  struct at_width {
    using side = lanes<Stored, Lanes>;
    using read_side = lanes<const Stored, Lanes>;
    using real = typename side::real;
    using vec = typename side::vec;
    using units_at = units_at_width<real, Lanes>;
    static constexpr std::size_t size = side::size;
    static constexpr std::size_t block = Lanes == 8 ? 16 : 8;  ///< outputs at a time, in registers
    static constexpr std::size_t together = 12;                ///< taps whose gradients are, in registers

    FMSB_KERNEL void clear(real* buffer, std::ptrdiff_t from, std::ptrdiff_t to) {
      std::memset(buffer + from * static_cast<std::ptrdiff_t>(size), 0,
                  static_cast<std::size_t>(to - from) * size * sizeof(real));
    }

    /// Positions [first, last) of the rows, from the buffer's start on, zero where the rows have none. Rows
    /// hold every spread-th position, `held` of them.
    FMSB_KERNEL void fill(const lane_rows<const Stored, size>& rows, std::size_t held, std::size_t spread,
                          std::ptrdiff_t first, std::ptrdiff_t last, real* buffer) {
      const auto step = static_cast<std::ptrdiff_t>(spread);
      const std::ptrdiff_t from = std::max<std::ptrdiff_t>(first, 0), end = static_cast<std::ptrdiff_t>(held);
      const std::ptrdiff_t begin = std::min((from + step - 1) / step, end),
                           stop = std::max(begin, std::min((last + step - 1) / step, end));
      if (spread > 1 || begin == stop) {
        clear(buffer, 0, last - first);
      } else {
        clear(buffer, 0, begin - first);
        clear(buffer, stop - first, last - first);
      }
      if (begin < stop)
        read_side::gather(rows, static_cast<std::size_t>(begin), static_cast<std::size_t>(stop - begin),
                          spread, buffer + (begin * step - first) * static_cast<std::ptrdiff_t>(size));
    }

    /// Adds tap i, at its offset times Sign, to the sums of `Block` outputs, `step` vectors apart.
    template <int Sign, std::size_t Block>
    FMSB_KERNEL void add_tap(std::size_t i, const real* taps, const real* centre, std::size_t step,
                             vec (&sum)[Block]) {
      const vec weight = *reinterpret_cast<const vec*>(taps + i * size);
      const real* const from = centre + Sign * Offsets[i] * static_cast<std::ptrdiff_t>(size);
      FMSB_UNROLL
      for (std::size_t p = 0; p < Block; ++p)
        sum[p] += weight * *reinterpret_cast<const vec*>(from + p * step * size);
    }
    /// All taps, as straight code where outputs lie side by side.
    template <int Sign, bool Beside, std::size_t Block, std::size_t First = 0>
    FMSB_KERNEL void add_taps(const real* taps, const real* centre, std::size_t step, vec (&sum)[Block]) {
      if constexpr (!Beside || Block == 1 || straight<real, Lanes> == 0) {
        for (std::size_t i = 0; i < count; ++i) add_tap<Sign>(i, taps, centre, step, sum);
      } else {
        constexpr std::size_t end = std::min(First + straight<real, Lanes>, count);
        FMSB_UNROLL
        for (std::size_t i = First; i < end; ++i) add_tap<Sign>(i, taps, centre, 1, sum);
        if constexpr (end < count) add_taps<Sign, Beside, Block, end>(taps, centre, step, sum);
      }
    }

    /// Outputs [first, last) of a tile whose output `first` is centred on the buffer's `centre`.
    template <int Sign, bool Beside>
    FMSB_KERNEL void convolve(const real* centre, std::size_t step, const real* taps, const real* bias,
                              std::size_t first, std::size_t last, const lane_rows<Stored, size>& into) {
      const std::size_t many = last - first;
      std::size_t i = 0;
      for (; many >= block && i < many; i += block) {
        if (i + block > many) i = many - block;  // the last block once more from where it is whole
        vec sum[block];
        FMSB_UNROLL
        for (std::size_t p = 0; p < block; ++p) sum[p] = *reinterpret_cast<const vec*>(bias);
        add_taps<Sign, Beside>(taps, centre + i * step * size, step, sum);
        if constexpr (block == size) {
          side::scatter(sum, into, first + i);
        } else {
          FMSB_UNROLL
          for (std::size_t part = 0; part < block; part += size) {
            vec square[size];
            FMSB_UNROLL
            for (std::size_t p = 0; p < size; ++p) square[p] = sum[part + p];
            side::scatter(square, into, first + i + part);
          }
        }
      }
      for (; i < many; ++i) {
        vec sum[1] = {*reinterpret_cast<const vec*>(bias)};
        add_taps<Sign, Beside>(taps, centre + i * step * size, step, sum);
        side::scatter_one(sum[0], into, first + i);
      }
    }

    /// Adds gy x at each offset to the sums of the taps, and gy to the bias's, of `many` outputs.
    template <bool Beside, std::size_t First = 0>
    FMSB_KERNEL void correlate(const real* gy, const real* x, std::size_t apart, std::size_t many,
                               real* sums) {
      const std::size_t step = Beside ? 1 : apart;
      constexpr std::size_t some = std::min(together, count - First);
      vec sum[some], all{};
      FMSB_UNROLL
      for (std::size_t i = 0; i < some; ++i)
        sum[i] = *reinterpret_cast<const vec*>(sums + (First + i) * size);
      for (std::size_t t = 0; t < many; ++t) {
        const vec g = *reinterpret_cast<const vec*>(gy + t * step * size);
        const real* const at = x + t * step * size;
        if constexpr (First == 0) all += g;
        FMSB_UNROLL
        for (std::size_t i = 0; i < some; ++i)
          sum[i] +=
              g * *reinterpret_cast<const vec*>(at + Offsets[First + i] * static_cast<std::ptrdiff_t>(size));
      }
      FMSB_UNROLL
      for (std::size_t i = 0; i < some; ++i) *reinterpret_cast<vec*>(sums + (First + i) * size) = sum[i];
      if constexpr (First == 0) *reinterpret_cast<vec*>(sums + count * size) += all;
      if constexpr (First + some < count) correlate<Beside, First + some>(gy, x, apart, many, sums);
    }

    /// What a unit works on: taps and bias of its channels, buffers, and its part of the vectors.
    struct unit {
      real *taps, *bias, *one, *other;
      lane_units::vectors_of mine;

      unit(const depthwise_task<Stored>& t, const lane_units& units, std::size_t index)
          : taps(t.scratch),
            bias(taps + count * size),
            one(bias + size),
            other(one + buffer_positions * size),
            mine(units.part(index)) {
        units_at::lay_out(t.taps, count, units, mine.pattern, taps);
        if (t.bias != nullptr)
          units_at::lay_out(t.bias, 1, units, mine.pattern, bias);
        else
          std::memset(bias, 0, size * sizeof(real));
      }
    };

    FMSB_KERNEL std::size_t tile_of(std::size_t many, std::size_t most) {
      const std::size_t tiles = (many + most - 1) / most;
      return (many + tiles - 1) / tiles;
    }

    FMSB_KERNEL void forward(const depthwise_task<Stored>& t, std::size_t from, std::size_t to) {
      const lane_units units(t.batch, t.channels, size);
      const std::size_t outputs = t.outputs(),
                        tile = tile_of(outputs, std::max<std::size_t>(1, kDepthwiseTile / t.stride));
      for (std::size_t index = from; index < to; ++index) {
        const unit u(t, units, index);
        for (std::size_t v = u.mine.first; v < u.mine.last; v += units.patterns) {
          lane_rows<const Stored, size> x;
          lane_rows<Stored, size> y;
          units_at::rows_of(t.x, units, v, x);
          units_at::rows_of(t.y, units, v, y);
          for (std::size_t first = 0; first < outputs; first += tile) {
            const std::size_t last = std::min(first + tile, outputs);
            const auto centre = static_cast<std::ptrdiff_t>(first * t.stride);
            fill(x, t.length, 1, centre - reach,
                 static_cast<std::ptrdiff_t>((last - 1) * t.stride) + reach + 1, u.one);
            const real* const at = u.one + static_cast<std::size_t>(reach) * size;
            if (t.stride == 1)
              convolve<1, true>(at, 1, u.taps, u.bias, first, last, y);
            else
              convolve<1, false>(at, t.stride, u.taps, u.bias, first, last, y);
          }
        }
      }
    }

    /// Both gradients while what they share is in the cache: a tile of inputs at a time.
    FMSB_KERNEL void backward(const depthwise_task<Stored>& t, std::size_t from, std::size_t to) {
      const lane_units units(t.batch, t.channels, size);
      const std::size_t tile = tile_of(t.length, kDepthwiseTile),
                        centre = static_cast<std::size_t>(reach) * size;
      for (std::size_t index = from; index < to; ++index) {
        const unit u(t, units, index);
        std::memset(u.bias, 0, size * sizeof(real));
        real* const sums = t.sums == nullptr ? nullptr : t.sums + index * (count + 1) * size;
        if (sums != nullptr) std::memset(sums, 0, (count + 1) * size * sizeof(real));
        for (std::size_t v = u.mine.first; v < u.mine.last; v += units.patterns) {
          lane_rows<const Stored, size> x, gy;
          lane_rows<Stored, size> gx;
          units_at::rows_of(t.gy, units, v, gy);
          if (t.gx.at != nullptr) units_at::rows_of(t.gx, units, v, gx);
          if (sums != nullptr) units_at::rows_of(t.x, units, v, x);
          for (std::size_t first = 0; first < t.length; first += tile) {
            const std::size_t last = std::min(first + tile, t.length);
            const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(first) - reach,
                                 end = static_cast<std::ptrdiff_t>(last) + reach;
            fill(gy, t.outputs(), t.stride, begin, end, u.one);
            if (t.gx.at != nullptr) convolve<-1, true>(u.one + centre, 1, u.taps, u.bias, first, last, gx);
            if (sums == nullptr) continue;
            fill(x, t.length, 1, begin, end, u.other);
            const std::size_t skipped = (t.stride - first % t.stride) % t.stride;
            constexpr std::size_t near = 128;  // outputs at a time, that x stays in the first cache
            for (std::size_t i = skipped; i < last - first; i += near * t.stride) {
              const std::size_t many =
                  (std::min(last - first - i, near * t.stride) + t.stride - 1) / t.stride;
              const real *const g = u.one + centre + i * size, *const at = u.other + centre + i * size;
              if (t.stride == 1)
                correlate<true>(g, at, 1, many, sums);
              else
                correlate<false>(g, at, t.stride, many, sums);
            }
          }
        }
      }
    }
  };

  template <class Stored>
  struct forward_kernel {
    template <int Lanes>
    FMSB_KERNEL void run(const depthwise_task<Stored>* task, std::size_t from, std::size_t to) {
      at_width<Stored, Lanes>::forward(*task, from, to);
    }
  };
  template <class Stored>
  struct backward_kernel {
    template <int Lanes>
    FMSB_KERNEL void run(const depthwise_task<Stored>* task, std::size_t from, std::size_t to) {
      at_width<Stored, Lanes>::backward(*task, from, to);
    }
  };
};

}  // namespace detail

/// Numbers of `depthwise_task::scratch` at any width.
template <std::array Offsets>
constexpr std::size_t depthwise_scratch(std::size_t lanes) {
  return (Offsets.size() + 1 + 2 * detail::depthwise<Offsets>::buffer_positions) * lanes;
}

/// Computes y of units [from, to).
template <std::array Offsets, class Stored>
void depthwise_forward(const depthwise_task<Stored>& task, std::size_t from, std::size_t to,
                       isa::level level = isa::current()) {
  isa::run_at<typename detail::depthwise<Offsets>::template forward_kernel<Stored>,
              widest_for<computed_in<Stored>>>(level, &task, from, to);
}

/// Computes gx, and the sums of each unit in [from, to).
template <std::array Offsets, class Stored>
void depthwise_backward(const depthwise_task<Stored>& task, std::size_t from, std::size_t to,
                        isa::level level = isa::current()) {
  isa::run_at<typename detail::depthwise<Offsets>::template backward_kernel<Stored>,
              widest_for<computed_in<Stored>>>(level, &task, from, to);
}

}  // namespace fmsb::nn
