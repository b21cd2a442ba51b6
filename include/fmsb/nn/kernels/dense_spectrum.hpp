#pragma once
#include "fmsb/core/isa.hpp"                    // isa::run_at, FMSB_KERNEL
#include "fmsb/nn/kernels/complex_product.hpp"  // detail::complex_product
#include "fmsb/nn/kernels/plane_transform.hpp"  // plane_plan, detail::plane_transform
#include "fmsb/nn/kernels/pruned_rows.hpp"      // pruned_plan, detail::pruned_rows

#include <algorithm>  // std::max, std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint32_t
#include <optional>   // std::optional
#include <utility>    // std::move
#include <vector>     // std::vector

/// Convolution of all channels with all, over one axis or two, by Fourier transforms, without LibTorch:
///
///     y[b, o, t] = bias[o] + sum_{i, c} taps[i, o, c] x[b, c, stride t + offsets[i]],
///
/// where x is zero outside its positions. At each frequency it is one product of small matrices. Channels
/// stand in lanes, two items of a batch are transformed as one, z = x[b] + i x[b + 1]: at a frequency and at
/// its opposite, z and the conjugate of z meet the same matrix, so half of the matrices are enough.
///
/// Spectra are [frequencies, vectors of channels, 2 pairs, re | im, lanes]; the second half of the pairs'
/// rows holds the conjugates at the opposite frequency. Matrices are [frequencies, vectors of columns, rows,
/// re | im, lanes].
namespace fmsb::nn {

/// Which places of a plane's spectrum go together.
template <class Real>
class dense_plan {
 public:
  using real = Real;
  plane_plan<Real> plane;
  /// Of each frequency its place and that of the opposite one, which may be the same.
  std::vector<std::array<std::uint32_t, 2>> frequencies;
  /// Of each place its frequency, and whether it is the opposite one.
  struct role {
    std::uint32_t frequency, opposite;
  };
  std::vector<role> roles;

  /// Of the taps' spectrum, where that is cheaper than a fast transform.
  std::optional<pruned_plan<Real>> pruned;

  explicit dense_plan(plane_plan<Real> of) : plane(std::move(of)), roles(plane.places()) {
    const std::size_t down = plane.down.length(), along = plane.along.length();
    std::vector<std::uint32_t> place_of(plane.places());
    for (std::size_t p = 0; p < plane.places(); ++p) {
      const auto [h, w] = plane.frequency(p);
      place_of[h * along + w] = static_cast<std::uint32_t>(p);
    }
    for (std::size_t h = 0; h < down; ++h)
      for (std::size_t w = 0; w < along; ++w) {
        const std::size_t mine = h * along + w, other = (down - h) % down * along + (along - w) % along;
        if (other < mine) continue;
        const auto count = static_cast<std::uint32_t>(frequencies.size());
        roles[place_of[other]] = {count, 1};
        roles[place_of[mine]] = {count, 0};
        frequencies.push_back({place_of[mine], place_of[other]});
      }
    // Over one axis frequencies stand in their own order, as pruned transforms want them.
    if (down == 1 && plane.taps.size() <= kFewTaps) {
      std::vector<int> offsets(plane.taps.size());
      for (const auto& tap : plane.taps)
        offsets[tap.tap] = tap.position <= along / 2 ? -static_cast<int>(tap.position)
                                                     : static_cast<int>(along - tap.position);
      pruned.emplace(along, offsets);
    }
  }

 private:
  /// Measured: as many cost what a fast transform costs, at 600 frequencies.
  static constexpr std::size_t kFewTaps = 80;
};

/// The steps of a convolution. Each goes through its items in any order, on any number of threads.
enum class dense_step {
  load_x,          ///< x_spectrum from x
  load_gy,         ///< y_spectrum from gy
  load_taps,       ///< matrices [in, out] from `taps` [offsets, in, out]
  load_taps_back,  ///< matrices [out, in] from `taps` [offsets, out, in]
  multiply,        ///< y_spectrum from x_spectrum and matrices
  multiply_back,   ///< sums [out, in], and then the gradient of x in x_spectrum, where there are matrices
  store_y,         ///< y from y_spectrum
  store_gx,        ///< gx from x_spectrum
  store_taps       ///< `taps_gradient` [offsets, out, in] from sums
};

/// What the steps read and write; what a step does not name may be null. Spectra, matrices and scratch start
/// at a cache line.
template <class Stored>
struct dense_task {
  using real = computed_in<Stored>;
  const dense_plan<real>* plan = nullptr;
  std::size_t batch = 0, in = 0, out = 0;  ///< items, channels
  std::size_t stride = 1;
  isa::level level = isa::current();
  signal<const Stored> x, gy;
  signal<Stored> y, gx;
  const real *taps = nullptr, *bias = nullptr;
  real* taps_gradient = nullptr;
  real *x_spectrum = nullptr, *y_spectrum = nullptr;  ///< `spectrum_numbers` of in, out
  real *matrices = nullptr, *sums = nullptr;          ///< `matrix_numbers`

  std::size_t lanes() const { return lanes_at<real>(level); }
  std::size_t vectors(std::size_t channels) const { return (channels + lanes() - 1) / lanes(); }
  std::size_t pairs() const { return (batch + 1) / 2; }
  /// Rows of a matrix, with one of zeros where there is an odd number: two are transformed as one.
  static std::size_t padded(std::size_t rows) { return (rows + 1) / 2 * 2; }

  /// Numbers from frequency to frequency of a spectrum and of a matrix. One complex vector is there for
  /// nothing but that the same number of all frequencies does not fall on the same few lines of the caches.
  std::size_t spectrum_stride(std::size_t channels) const {
    return (vectors(channels) * 4 * pairs() + 2) * lanes();
  }
  std::size_t matrix_stride(std::size_t rows, std::size_t columns) const {
    return (vectors(columns) * 2 * padded(rows) + 2) * lanes();
  }
  std::size_t spectrum_numbers(std::size_t channels) const {
    return plan->frequencies.size() * spectrum_stride(channels);
  }
  std::size_t matrix_numbers(std::size_t rows, std::size_t columns) const {
    return plan->frequencies.size() * matrix_stride(rows, columns);
  }
  /// Numbers of a thread's own memory.
  std::size_t scratch() const {
    const auto& p = plan->plane;
    const std::size_t of_planes =
        1 + 2 * (p.rows * p.along.length() + p.block * p.down.length() + p.places() + p.along.length());
    return lanes() * std::max(of_planes, plan->pruned ? plan->pruned->scratch() : 0);
  }
  std::size_t items(dense_step step) const {
    switch (step) {
      case dense_step::load_x:
      case dense_step::store_gx:
        return vectors(in) * pairs();
      case dense_step::load_gy:
      case dense_step::store_y:
        return vectors(out) * pairs();
      case dense_step::load_taps:
        return vectors(out) * padded(in) / 2;
      case dense_step::load_taps_back:
      case dense_step::store_taps:
        return vectors(in) * padded(out) / 2;
      default:
        return plan->frequencies.size();
    }
  }
};

namespace detail {

template <class Stored, int Lanes>
struct dense_at_width {
  using step = plane_transform<Stored, Lanes>;
  using real = typename step::real;
  using vec = typename step::vec;
  using task_type = dense_task<Stored>;
  using pruned = pruned_rows<real, Lanes>;
  static constexpr std::size_t size = step::size, number = step::number;

  /// Channels [first, first + lanes) of two items of a batch; behind the last item none.
  template <class Rows, class T>
  FMSB_KERNEL typename step::template pair<Rows> pair_of(const signal<T>& s, std::size_t every,
                                                         std::size_t batch, std::size_t channels,
                                                         std::size_t item, std::size_t first) {
    typename step::template pair<Rows> found;
    found.row_stride = s.row;
    found.every = every;
    for (std::size_t part = 0; part < 2; ++part) {
      auto& rows = found.parts[part];
      const bool there = item + part < batch;
      rows.count = there ? std::min(size, channels - first) : 0;
      rows.stride = s.position;
      for (std::size_t j = 0; j < size; ++j)
        rows.rows[j] = s.at + (there ? static_cast<std::ptrdiff_t>(item + part) * s.batch : 0) +
                       static_cast<std::ptrdiff_t>(j < rows.count ? first + j : 0) * s.channel;
      rows.adjacent = s.channel == 1 && rows.count == size;
    }
    return found;
  }

  /// Items [from, to) of vectors of channels and pairs, into `spectrum`.
  FMSB_KERNEL void load(const task_type& t, const signal<const Stored>& s, std::size_t channels,
                        std::size_t every, std::size_t from, std::size_t to, real* scratch, real* spectrum) {
    const auto& plan = t.plan->plane;
    const std::size_t along = plan.along.length(), down = plan.down.length(), pairs = t.pairs(),
                      frequency = t.spectrum_stride(channels);
    real* const plane = scratch + size;
    real* const block = plane + plan.rows * along * number;
    for (std::size_t item = from; item < to; ++item) {
      const std::size_t vector = item / pairs, pair = item % pairs;
      step::load(plan,
                 pair_of<typename step::read_rows>(s, every, t.batch, channels, 2 * pair, vector * size),
                 plane);
      const auto* role = t.plan->roles.data();
      real* const to_pair = spectrum + (vector * 2 * pairs + pair) * number;
      for (std::size_t first = 0; first < along; first += plan.block) {
        const std::size_t count = std::min(plan.block, along - first);
        const real* z = step::columns(plan, plane, first, count, block);
        for (std::size_t i = 0; i < count * down; ++i, ++role, z += number) {
          real* const at = to_pair + role->frequency * frequency + role->opposite * pairs * number;
          const vec imaginary = *reinterpret_cast<const vec*>(z + size);
          *reinterpret_cast<vec*>(at) = *reinterpret_cast<const vec*>(z);
          *reinterpret_cast<vec*>(at + size) = role->opposite != 0 ? -imaginary : imaginary;
        }
      }
    }
  }

  /// The way back of `load`.
  FMSB_KERNEL void store(const task_type& t, const real* spectrum, std::size_t channels, const real* bias,
                         std::size_t every, std::size_t from, std::size_t to, real* scratch,
                         const signal<Stored>& s) {
    const auto& plan = t.plan->plane;
    const std::size_t along = plan.along.length(), down = plan.down.length(), pairs = t.pairs(),
                      frequency = t.spectrum_stride(channels);
    real* const plane = scratch + size;
    real* const own_block = plane + plan.rows * along * number;
    for (std::size_t item = from; item < to; ++item) {
      const std::size_t vector = item / pairs, pair = item % pairs;
      for (std::size_t j = 0; j < size; ++j)
        scratch[j] = bias != nullptr && vector * size + j < channels ? bias[vector * size + j] : real{0};
      const auto* role = t.plan->roles.data();
      const real* const of_pair = spectrum + (vector * 2 * pairs + pair) * number;
      for (std::size_t first = 0; first < along; first += plan.block) {
        const std::size_t count = std::min(plan.block, along - first);
        real* const block = down == 1 ? plane : own_block;
        real* z = block;
        for (std::size_t i = 0; i < count * down; ++i, ++role, z += number) {
          const real* const at = of_pair + role->frequency * frequency + role->opposite * pairs * number;
          const vec imaginary = *reinterpret_cast<const vec*>(at + size);
          *reinterpret_cast<vec*>(z) = *reinterpret_cast<const vec*>(at);
          *reinterpret_cast<vec*>(z + size) = role->opposite != 0 ? -imaginary : imaginary;
        }
        step::put_back(plan, block, first, count, plane);
      }
      step::store(plan, plane,
                  pair_of<typename step::write_rows>(s, every, t.batch, channels, 2 * pair, vector * size),
                  scratch);
    }
  }

  template <class T>
  using lanes_of = typename step::template tap_lanes<T>;

  /// Items [from, to) of pairs of rows of the taps' matrices [offsets, rows, columns]: two rows' transforms
  /// are one.
  FMSB_KERNEL void load_matrix(const task_type& t, std::size_t rows, std::size_t columns, std::size_t from,
                               std::size_t to, real* scratch) {
    const auto& plan = t.plan->plane;
    const std::size_t padded = t.padded(rows), frequency = t.matrix_stride(rows, columns), pairs = padded / 2;
    real* const spectrum = scratch + plan.along.length() * number;
    const real scale = real{0.5} / static_cast<real>(plan.places());
    for (std::size_t item = from; item < to; ++item) {
      const std::size_t vector = item / pairs, row = item % pairs * 2;
      if (t.plan->pruned) {
        pruned::load(*t.plan->pruned, rows_of(t.taps, rows, columns, row, vector), 2 * scale,
                     t.matrices + (vector * padded + row) * number, frequency, scratch);
        continue;
      }
      lanes_of<const real> re, im;
      matrix_lanes(t.taps, rows, columns, row, vector, re, im);
      step::load_taps(plan, re, im, rows * columns, scale, scratch, spectrum);
      real* at = t.matrices + (vector * padded + row) * number;
      for (const auto& [place, opposite] : t.plan->frequencies) {
        const real *const a = spectrum + place * number, *const b = spectrum + opposite * number;
        const vec a_re = *reinterpret_cast<const vec*>(a), a_im = *reinterpret_cast<const vec*>(a + size),
                  b_re = *reinterpret_cast<const vec*>(b), b_im = *reinterpret_cast<const vec*>(b + size);
        *reinterpret_cast<vec*>(at) = a_re + b_re;
        *reinterpret_cast<vec*>(at + size) = a_im - b_im;
        *reinterpret_cast<vec*>(at + number) = a_im + b_im;
        *reinterpret_cast<vec*>(at + number + size) = b_re - a_re;
        at += frequency;
      }
    }
  }

  /// The way back of `load_matrix` for sums over both rows of each pair of items: the halves that are the
  /// spectra of real taps.
  FMSB_KERNEL void store_matrix(const task_type& t, std::size_t from, std::size_t to, real* scratch) {
    const auto& plan = t.plan->plane;
    const std::size_t rows = t.out, columns = t.in;
    const std::size_t padded = t.padded(rows), frequency = t.matrix_stride(rows, columns), pairs = padded / 2;
    real* const spectrum = scratch + plan.along.length() * number;
    const real scale = real{0.5} / static_cast<real>(plan.places());
    for (std::size_t item = from; item < to; ++item) {
      const std::size_t vector = item / pairs, row = item % pairs * 2;
      if (t.plan->pruned) {
        pruned::store(*t.plan->pruned, t.sums + (vector * padded + row) * number, frequency, 2 * scale,
                      rows_of(t.taps_gradient, rows, columns, row, vector), scratch);
        continue;
      }
      const real* at = t.sums + (vector * padded + row) * number;
      for (const auto& [place, opposite] : t.plan->frequencies) {
        real *const a = spectrum + place * number, *const b = spectrum + opposite * number;
        const vec one_re = *reinterpret_cast<const vec*>(at),
                  one_im = *reinterpret_cast<const vec*>(at + size),
                  two_re = *reinterpret_cast<const vec*>(at + number),
                  two_im = *reinterpret_cast<const vec*>(at + number + size);
        if (place == opposite) {  // added once, where others were twice
          *reinterpret_cast<vec*>(a) = one_re + one_re;
          *reinterpret_cast<vec*>(a + size) = two_re + two_re;
        } else {
          *reinterpret_cast<vec*>(a) = one_re - two_im;
          *reinterpret_cast<vec*>(a + size) = one_im + two_re;
          *reinterpret_cast<vec*>(b) = one_re + two_im;
          *reinterpret_cast<vec*>(b + size) = two_re - one_im;
        }
        at += frequency;
      }
      lanes_of<real> re, im;
      matrix_lanes(t.taps_gradient, rows, columns, row, vector, re, im);
      step::store_taps(plan, spectrum, re, im, rows * columns, scale, scratch);
    }
  }

  template <class T>
  FMSB_KERNEL tap_rows<T> rows_of(T* taps, std::size_t rows, std::size_t columns, std::size_t row,
                                  std::size_t vector) {
    T* const first = taps + row * columns + vector * size;
    return {.at = {first, row + 1 < rows ? first + columns : nullptr},
            .lanes = std::min(size, columns - vector * size),
            .apart = rows * columns};
  }

  template <class T>
  FMSB_KERNEL void matrix_lanes(T* taps, std::size_t rows, std::size_t columns, std::size_t row,
                                std::size_t vector, lanes_of<T>& re, lanes_of<T>& im) {
    const std::size_t count = std::min(size, columns - vector * size);
    re = {taps + row * columns + vector * size, row < rows ? count : 0};
    im = {taps + (row + 1) * columns + vector * size, row + 1 < rows ? count : 0};
  }

  FMSB_KERNEL std::size_t rows_at(const task_type& t, std::size_t f) {
    const auto& [place, opposite] = t.plan->frequencies[f];
    return place == opposite ? t.pairs() : 2 * t.pairs();
  }

  /// y = x * matrix [in, out] at frequencies [from, to).
  FMSB_KERNEL void multiply(const task_type& t, std::size_t from, std::size_t to) {
    const std::size_t spectrum = 2 * t.pairs() * number, rows = t.padded(t.in) * number;
    for (std::size_t f = from; f < to; ++f) {
      const complex_product<real> product{.left = t.x_spectrum + f * t.spectrum_stride(t.in),
                                          .row = number,
                                          .row_vector = size * number,
                                          .depth = 1,
                                          .depth_vector = spectrum,
                                          .right = t.matrices + f * t.matrix_stride(t.in, t.out),
                                          .right_distance = rows,
                                          .out = t.y_spectrum + f * t.spectrum_stride(t.out),
                                          .out_distance = spectrum,
                                          .rows = rows_at(t, f),
                                          .depths = t.in,
                                          .vectors = t.vectors(t.out)};
      complex_product_at_width<real, Lanes>::template multiply<false>(product);
    }
  }

  /// The gradients of matrix [out, in], where wanted, and then of x, where wanted, in its place.
  FMSB_KERNEL void multiply_back(const task_type& t, std::size_t from, std::size_t to) {
    const std::size_t spectrum = 2 * t.pairs() * number, rows = t.padded(t.out) * number;
    for (std::size_t f = from; f < to; ++f) {
      const std::size_t items = rows_at(t, f);
      if (t.sums != nullptr) {
        const complex_product<real> product{.left = t.y_spectrum + f * t.spectrum_stride(t.out),
                                            .row = 1,
                                            .row_vector = spectrum,
                                            .depth = number,
                                            .depth_vector = size * number,
                                            .right = t.x_spectrum + f * t.spectrum_stride(t.in),
                                            .right_distance = spectrum,
                                            .out = t.sums + f * t.matrix_stride(t.out, t.in),
                                            .out_distance = rows,
                                            .rows = t.padded(t.out),
                                            .depths = items,
                                            .vectors = t.vectors(t.in)};
        complex_product_at_width<real, Lanes>::template multiply<true>(product);
      }
      if (t.matrices != nullptr) {
        const complex_product<real> product{.left = t.y_spectrum + f * t.spectrum_stride(t.out),
                                            .row = number,
                                            .row_vector = size * number,
                                            .depth = 1,
                                            .depth_vector = spectrum,
                                            .right = t.matrices + f * t.matrix_stride(t.out, t.in),
                                            .right_distance = rows,
                                            .out = t.x_spectrum + f * t.spectrum_stride(t.in),
                                            .out_distance = spectrum,
                                            .rows = items,
                                            .depths = t.out,
                                            .vectors = t.vectors(t.in)};
        complex_product_at_width<real, Lanes>::template multiply<true>(product);
      }
    }
  }
};

template <class Stored>
struct dense_kernel {
  using real = computed_in<Stored>;
  template <int Lanes>
  FMSB_KERNEL void run(const dense_task<Stored>* task, dense_step step, std::size_t from, std::size_t to,
                       real* scratch) {
    using at = dense_at_width<Stored, Lanes>;
    const auto& t = *task;
    switch (step) {
      case dense_step::load_x:
        return at::load(t, t.x, t.in, 1, from, to, scratch, t.x_spectrum);
      case dense_step::load_gy:
        return at::load(t, t.gy, t.out, t.stride, from, to, scratch, t.y_spectrum);
      case dense_step::load_taps:
        return at::load_matrix(t, t.in, t.out, from, to, scratch);
      case dense_step::load_taps_back:
        return at::load_matrix(t, t.out, t.in, from, to, scratch);
      case dense_step::multiply:
        return at::multiply(t, from, to);
      case dense_step::multiply_back:
        return at::multiply_back(t, from, to);
      case dense_step::store_y:
        return at::store(t, t.y_spectrum, t.out, t.bias, t.stride, from, to, scratch, t.y);
      case dense_step::store_gx:
        return at::store(t, t.x_spectrum, t.in, nullptr, 1, from, to, scratch, t.gx);
      case dense_step::store_taps:
        return at::store_matrix(t, from, to, scratch);
    }
  }
};

}  // namespace detail

/// Does items [from, to) of a step.
/// @param scratch  `dense_task::scratch` numbers of a thread's own, from the start of a cache line
template <class Stored>
void dense_spectrum(const dense_task<Stored>& task, dense_step step, std::size_t from, std::size_t to,
                    computed_in<Stored>* scratch) {
  isa::run_at<detail::dense_kernel<Stored>, widest_for<computed_in<Stored>>>(task.level, &task, step, from,
                                                                             to, scratch);
}

}  // namespace fmsb::nn
