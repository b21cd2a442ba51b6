#pragma once
#include "fmsb/core/isa.hpp"                    // isa::run_at, FMSB_KERNEL
#include "fmsb/nn/kernels/lane_units.hpp"       // lane_units, detail::units_at_width
#include "fmsb/nn/kernels/plane_transform.hpp"  // plane_plan, detail::plane_transform

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <cstring>    // std::memset

/// Depthwise convolution over one axis or two with many taps, and its gradients, by Fourier transforms that
/// stay in the cache, without LibTorch:
///
///     y[b, c, t] = bias[c] + sum_i taps[i, c] x[b, c, stride t + offsets[i]],
///
/// where x is zero outside its positions. Channels stand in lanes. Two vectors of rows that have the same
/// channels are transformed as one, the real and the imaginary part: what multiplies both is the same.
namespace fmsb::nn {

/// What the kernels read and write. Outputs: as many along an axis as multiples of the stride below its
/// length.
template <class Stored>
struct spectrum_task {
  using real = computed_in<Stored>;
  const plane_plan<real>* plan = nullptr;
  std::size_t batch = 0, channels = 0;
  std::size_t stride = 1;
  const real* taps = nullptr;  ///< [offsets, channels]
  const real* bias = nullptr;  ///< [channels]; null: none
  signal<const Stored> x;      ///< for the gradient of the taps, or forward
  signal<const Stored> gy;     ///< gradient of the output
  signal<Stored> y;
  signal<Stored> gx;  ///< null: not wanted
  real* sums =
      nullptr;  ///< [units, offsets + 1, lanes], for the gradients of taps and bias; null: not wanted
  real* scratch = nullptr;  ///< `spectrum_scratch` numbers of a thread's own, at the start of a cache line
};

/// The work of a task: units are large enough that the taps' own transforms cost little beside.
constexpr lane_units spectrum_units(std::size_t batch, std::size_t channels, std::size_t lanes) {
  constexpr std::size_t kVectors = 8;
  return {batch, channels, lanes, kVectors};
}

/// Numbers of `spectrum_task::scratch`.
template <class Real>
std::size_t spectrum_scratch(const plane_plan<Real>& plan, std::size_t lanes) {
  const std::size_t planes = 2 * plan.rows * plan.along.length(), spectra = 2 * plan.places(),
                    blocks = 2 * plan.block * plan.down.length();
  return (plan.taps.size() + 1 + 2 * (planes + spectra + blocks)) * lanes;
}

namespace detail {

template <class Stored, int Lanes>
struct spectrum_at_width {
  using step = plane_transform<Stored, Lanes>;
  using real = typename step::real;
  using vec = typename step::vec;
  using units_at = units_at_width<real, Lanes>;
  static constexpr std::size_t size = step::size, number = step::number;

  /// What a unit works on: numbers of its channels, and buffers.
  struct unit {
    const plane_plan<real>& plan;
    std::size_t planes, spectra, blocks;
    real *taps, *bias, *one, *other, *one_block, *other_block, *kernel, *sums;

    explicit unit(const spectrum_task<Stored>& t)
        : plan(*t.plan),
          planes(plan.rows * plan.along.length() * number),
          spectra(plan.places() * number),
          blocks(plan.block * plan.down.length() * number),
          taps(t.scratch),
          bias(taps + plan.taps.size() * size),
          one(bias + size),
          other(one + planes),
          one_block(other + planes),
          other_block(one_block + blocks),
          kernel(other_block + blocks),
          sums(kernel + spectra) {}

    real scale() const { return real{1} / static_cast<real>(plan.places()); }
  };

  FMSB_KERNEL void load_kernel(const spectrum_task<Stored>& t, const unit& u, const lane_units& units,
                               std::size_t pattern) {
    units_at::lay_out(t.taps, u.plan.taps.size(), units, pattern, u.taps);
    step::load_taps(u.plan, {u.taps, size}, {}, size, u.scale(), u.one, u.kernel);
  }

  /// Rows of a vector, and of the next with the same channels in the unit.
  template <class Rows, class T>
  FMSB_KERNEL typename step::template pair<Rows> pair_of(const signal<T>& s, std::size_t every,
                                                         const lane_units& units, std::size_t vector,
                                                         std::size_t last) {
    typename step::template pair<Rows> found;
    found.row_stride = s.row;
    found.every = every;
    const std::size_t partner = vector + units.patterns;
    units_at::rows_of(s, units, vector, found.parts[0]);
    units_at::rows_of(s, units, partner < last ? partner : units.vectors(), found.parts[1]);
    return found;
  }
  FMSB_KERNEL void load(const spectrum_task<Stored>& t, const signal<const Stored>& s, std::size_t every,
                        const lane_units& units, std::size_t vector, std::size_t last, real* plane) {
    step::load(*t.plan, pair_of<typename step::read_rows>(s, every, units, vector, last), plane);
  }
  FMSB_KERNEL void store(const spectrum_task<Stored>& t, const signal<Stored>& s, std::size_t every,
                         const lane_units& units, std::size_t vector, std::size_t last, real* plane,
                         const real* bias) {
    step::store(*t.plan, plane, pair_of<typename step::write_rows>(s, every, units, vector, last), bias);
  }

  /// x times the kernel, or times its conjugate.
  template <bool Conjugate>
  FMSB_KERNEL void multiply(real* x, const real* kernel, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, x += number, kernel += number) {
      vec &re = *reinterpret_cast<vec*>(x), &im = *reinterpret_cast<vec*>(x + size);
      const vec by_re = *reinterpret_cast<const vec*>(kernel);
      const vec by_im = Conjugate ? -*reinterpret_cast<const vec*>(kernel + size)
                                  : *reinterpret_cast<const vec*>(kernel + size);
      const vec other = re * by_im + im * by_re;
      re = re * by_re - im * by_im;
      im = other;
    }
  }

  /// Adds g times the conjugate of x.
  FMSB_KERNEL void correlate(const real* g, const real* x, std::size_t count, real* sums) {
    for (std::size_t i = 0; i < count; ++i, g += number, x += number, sums += number) {
      const vec g_re = *reinterpret_cast<const vec*>(g), g_im = *reinterpret_cast<const vec*>(g + size),
                x_re = *reinterpret_cast<const vec*>(x), x_im = *reinterpret_cast<const vec*>(x + size);
      *reinterpret_cast<vec*>(sums) += g_re * x_re + g_im * x_im;
      *reinterpret_cast<vec*>(sums + size) += g_im * x_re - g_re * x_im;
    }
  }

  FMSB_KERNEL void forward(const spectrum_task<Stored>& t, std::size_t from, std::size_t to) {
    const lane_units units = spectrum_units(t.batch, t.channels, size);
    const unit u(t);
    const std::size_t along = u.plan.along.length(), down = u.plan.down.length();
    for (std::size_t index = from; index < to; ++index) {
      const auto mine = units.part(index);
      load_kernel(t, u, units, mine.pattern);
      std::memset(u.bias, 0, size * sizeof(real));
      if (t.bias != nullptr) units_at::lay_out(t.bias, 1, units, mine.pattern, u.bias);
      for (std::size_t v = mine.first; v < mine.last; v += 2 * units.patterns) {
        load(t, t.x, 1, units, v, mine.last, u.one);
        for (std::size_t first = 0; first < along; first += u.plan.block) {
          const std::size_t count = std::min(u.plan.block, along - first);
          real* const x = step::columns(u.plan, u.one, first, count, u.one_block);
          multiply<false>(x, u.kernel + first * down * number, count * down);
          step::put_back(u.plan, x, first, count, u.one);
        }
        store(t, t.y, t.stride, units, v, mine.last, u.one, u.bias);
      }
    }
  }

  FMSB_KERNEL void backward(const spectrum_task<Stored>& t, std::size_t from, std::size_t to) {
    const lane_units units = spectrum_units(t.batch, t.channels, size);
    const unit u(t);
    const std::size_t along = u.plan.along.length(), down = u.plan.down.length(), taps = u.plan.taps.size();
    std::memset(u.bias, 0, size * sizeof(real));
    for (std::size_t index = from; index < to; ++index) {
      const auto mine = units.part(index);
      if (t.gx.at != nullptr) load_kernel(t, u, units, mine.pattern);
      vec all{};
      if (t.sums != nullptr) std::memset(u.sums, 0, u.spectra * sizeof(real));
      for (std::size_t v = mine.first; v < mine.last; v += 2 * units.patterns) {
        load(t, t.gy, t.stride, units, v, mine.last, u.one);
        if (t.sums != nullptr) load(t, t.x, 1, units, v, mine.last, u.other);
        for (std::size_t first = 0; first < along; first += u.plan.block) {
          const std::size_t count = std::min(u.plan.block, along - first);
          real* const g = step::columns(u.plan, u.one, first, count, u.one_block);
          if (t.sums != nullptr) {
            const real* const x = step::columns(u.plan, u.other, first, count, u.other_block);
            correlate(g, x, count * down, u.sums + first * down * number);
            // The first number is the sum over all positions.
            if (first == 0) all += *reinterpret_cast<vec*>(g) + *reinterpret_cast<vec*>(g + size);
          }
          if (t.gx.at == nullptr) continue;
          multiply<true>(g, u.kernel + first * down * number, count * down);
          step::put_back(u.plan, g, first, count, u.one);
        }
        if (t.gx.at != nullptr) store(t, t.gx, 1, units, v, mine.last, u.one, u.bias);
      }
      if (t.sums == nullptr) continue;
      real* const sums = t.sums + index * (taps + 1) * size;
      step::store_taps(u.plan, u.sums, {sums, size}, {}, size, u.scale(), u.one);
      *reinterpret_cast<typename step::side::loose*>(sums + taps * size) = all;
    }
  }
};

template <class Stored>
struct spectrum_forward_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const spectrum_task<Stored>* task, std::size_t from, std::size_t to) {
    spectrum_at_width<Stored, Lanes>::forward(*task, from, to);
  }
};
template <class Stored>
struct spectrum_backward_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const spectrum_task<Stored>* task, std::size_t from, std::size_t to) {
    spectrum_at_width<Stored, Lanes>::backward(*task, from, to);
  }
};

}  // namespace detail

/// Computes y of units [from, to) of `spectrum_units`.
template <class Stored>
void depthwise_spectrum_forward(const spectrum_task<Stored>& task, std::size_t from, std::size_t to,
                                isa::level level = isa::current()) {
  isa::run_at<detail::spectrum_forward_kernel<Stored>, widest_for<computed_in<Stored>>>(level, &task, from,
                                                                                        to);
}

/// Computes gx, and the sums of each unit in [from, to).
template <class Stored>
void depthwise_spectrum_backward(const spectrum_task<Stored>& task, std::size_t from, std::size_t to,
                                 isa::level level = isa::current()) {
  isa::run_at<detail::spectrum_backward_kernel<Stored>, widest_for<computed_in<Stored>>>(level, &task, from,
                                                                                         to);
}

}  // namespace fmsb::nn
