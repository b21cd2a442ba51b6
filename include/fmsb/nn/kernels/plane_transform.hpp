#pragma once
#include "fmsb/core/isa.hpp"             // isa::call, FMSB_KERNEL, FMSB_UNROLL
#include "fmsb/nn/kernels/lane_fft.hpp"  // fft_plan, fft_length, lane_fft
#include "fmsb/nn/kernels/lanes.hpp"     // signal, detail::lanes

#include <algorithm>  // std::clamp, std::min, std::max, std::sort
#include <array>      // std::array
#include <cstddef>    // std::size_t, std::ptrdiff_t
#include <cstring>    // std::memcpy, std::memset
#include <vector>     // std::vector

/// Fourier transforms of planes of positions, one channel a lane, for convolutions: rows of a signal in,
/// columns of its spectrum out, and back. Without LibTorch.
namespace fmsb::nn {

/// The offset of a tap along rows and along positions; of a signal with one axis, rows have none.
using plane_offset = std::array<int, 2>;

/// How a signal [rows, length] is transformed so that a product of spectra is a convolution with taps at some
/// offsets and zeros around the signal. A signal with one axis has one row.
///
/// Places of a spectrum are counted block by block of columns, in a block row by row.
template <class Real>
class plane_plan {
 public:
  using real = Real;
  std::size_t rows, length;    ///< of the signal
  fft_plan<Real> down, along;  ///< transforms from row to row, and along a row
  std::size_t block;           ///< columns at a time, so that they stay in the first cache

  struct tap_place {
    std::size_t row, position, tap;
  };
  std::vector<tap_place> taps;  ///< where the convolution's kernel has them, by row

  plane_plan(std::size_t of_rows, std::size_t of_length, const std::vector<plane_offset>& offsets)
      : rows(of_rows),
        length(of_length),
        down(fft_length(of_rows + reach(offsets, 0))),
        along(fft_length(of_length + reach(offsets, 1))),
        block(down.length() == 1
                  ? along.length()
                  : std::clamp<std::size_t>(kBlockNumbers / down.length(), 1, along.length())) {
    // A tap reads at its offset: as a convolution's kernel it stands at the opposite one, round the circle.
    const auto around = [](int offset, std::size_t n) {
      return offset > 0 ? n - static_cast<std::size_t>(offset) : static_cast<std::size_t>(-offset);
    };
    for (std::size_t i = 0; i < offsets.size(); ++i)
      taps.push_back({around(offsets[i][0], down.length()), around(offsets[i][1], along.length()), i});
    std::sort(taps.begin(), taps.end(), [](const tap_place& a, const tap_place& b) { return a.row < b.row; });
  }

  std::size_t places() const { return down.length() * along.length(); }

  /// The frequency in a place: down, along.
  std::array<std::size_t, 2> frequency(std::size_t place) const {
    const std::size_t first = place / (block * down.length()) * block,
                      columns = std::min(block, along.length() - first), rest = place - first * down.length();
    return {down.frequency(rest / columns), along.frequency(first + rest % columns)};
  }

 private:
  static constexpr std::size_t kBlockNumbers = 128;  // vectors of real and imaginary parts: 16 KB

  static std::size_t reach(const std::vector<plane_offset>& offsets, std::size_t axis) {
    int most = 0;
    for (const auto& o : offsets) most = std::max({most, o[axis], -o[axis]});
    return static_cast<std::size_t>(most);
  }
};

namespace detail {

/// Kernels' steps, on vectors of `Lanes` doubles. A number is a vector of real and one of imaginary parts.
/// Those that a kernel takes more than once are compiled out of line.
template <class Stored, int Lanes>
struct plane_transform {
  using side = lanes<Stored, Lanes>;
  using read_side = lanes<const Stored, Lanes>;
  using real = typename side::real;
  using vec = typename side::vec;
  using plan_type = plane_plan<real>;
  static constexpr std::size_t size = side::size, number = 2 * size;
  using read_rows = lane_rows<const Stored, size>;
  using write_rows = lane_rows<Stored, size>;

  /// Two vectors of rows, as real and imaginary parts.
  template <class Rows>
  struct pair {
    Rows parts[2];
    std::ptrdiff_t row_stride = 0;  ///< of a signal with two axes
    std::size_t every = 1;          ///< the signal holds every so many-th row and position
  };

  /// A signal's rows, with zeros between them where it does not hold every one, along each row transformed:
  /// plane [rows, along, number].
  FMSB_KERNEL void load(const plan_type& plan, const pair<read_rows>& from, real* plane) {
    isa::call<loading, Lanes>(&plan, &from, plane);
  }

  /// The rows of a plane that a signal holds, back from their transforms, plus a bias [lanes] for either
  /// part.
  FMSB_KERNEL void store(const plan_type& plan, real* plane, const pair<write_rows>& into, const real* bias) {
    isa::call<storing, Lanes>(&plan, plane, &into, bias);
  }

  /// Columns [first, first + count) of a plane, transformed from row to row: [down, count, number], in
  /// `block`, or, of a signal with one axis, where they are.
  FMSB_KERNEL real* columns(const plan_type& plan, real* plane, std::size_t first, std::size_t count,
                            real* block) {
    if (plan.down.length() == 1) return plane;
    const std::size_t row = plan.along.length() * number, part = count * number;
    for (std::size_t h = 0; h < plan.rows; ++h)
      std::memcpy(block + h * part, plane + h * row + first * number, part * sizeof(real));
    std::memset(block + plan.rows * part, 0, (plan.down.length() - plan.rows) * part * sizeof(real));
    lane_fft<Lanes, fft_direction::forward>(plan.down, block, count);
    return block;
  }

  /// The way back of `columns`.
  FMSB_KERNEL void put_back(const plan_type& plan, real* block, std::size_t first, std::size_t count,
                            real* plane) {
    if (plan.down.length() == 1) return;
    const std::size_t row = plan.along.length() * number, part = count * number;
    lane_fft<Lanes, fft_direction::inverse>(plan.down, block, count);
    for (std::size_t h = 0; h < plan.rows; ++h)
      std::memcpy(plane + h * row + first * number, block + h * part, part * sizeof(real));
  }

  /// Numbers of some lanes that lie beside each other, for each tap.
  template <class T>
  struct tap_lanes {
    T* at = nullptr;
    std::size_t count = 0;  ///< lanes; 0: none
  };

  /// The spectrum of taps, in the order of places: the lanes of `re`, and of `im` as imaginary parts.
  /// @param apart  numbers from tap to tap
  /// @param row    memory for a row
  FMSB_KERNEL void load_taps(const plan_type& plan, const tap_lanes<const real>& re,
                             const tap_lanes<const real>& im, std::size_t apart, real scale, real* row,
                             real* spectrum) {
    isa::call<loading_taps, Lanes>(&plan, &re, &im, apart, scale, row, spectrum);
  }

  /// The way back of `load_taps`, of which only the taps are kept; the spectrum is overwritten.
  FMSB_KERNEL void store_taps(const plan_type& plan, real* spectrum, const tap_lanes<real>& re,
                              const tap_lanes<real>& im, std::size_t apart, real scale, real* row) {
    isa::call<storing_taps, Lanes>(&plan, spectrum, &re, &im, apart, scale, row);
  }

 private:
  template <class Rows>
  FMSB_KERNEL Rows moved(Rows rows, std::ptrdiff_t by) {
    for (auto& row : rows.rows) row += by;
    return rows;
  }

  struct loading {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, const pair<read_rows>* from, real* plane) {
      const std::size_t every = from->every, held = (plan->length + every - 1) / every,
                        row = plan->along.length() * number;
      for (std::size_t h = 0; h < plan->rows; ++h, plane += row) {
        if (h % every != 0) {
          std::memset(plane, 0, row * sizeof(real));
          continue;
        }
        const std::size_t filled = every > 1 ? 0 : held * number;
        std::memset(plane + filled, 0, (row - filled) * sizeof(real));
        const auto shift = static_cast<std::ptrdiff_t>(h / every) * from->row_stride;
        for (std::size_t part = 0; part < 2; ++part)
          read_side::gather(moved(from->parts[part], shift), 0, held, 2 * every, plane + part * size);
        lane_fft<Lanes, fft_direction::forward>(plan->along, plane);
      }
    }
  };

  struct storing {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, real* plane, const pair<write_rows>* into, const real* bias) {
      const std::size_t row = plan->along.length() * number, every = into->every;
      for (std::size_t h = 0; h < plan->rows; h += every) {
        real* const from = plane + h * row;
        lane_fft<Lanes, fft_direction::inverse>(plan->along, from);
        const auto shift = static_cast<std::ptrdiff_t>(h / every) * into->row_stride;
        for (std::size_t part = 0; part < 2; ++part)
          if (into->parts[part].count > 0)
            store_row(*plan, from + part * size, moved(into->parts[part], shift), every, bias);
      }
    }

    FMSB_KERNEL void store_row(const plan_type& plan, const real* from, const write_rows& into,
                               std::size_t every, const real* bias) {
      const std::size_t many = (plan.length + every - 1) / every, step = every * number;
      const vec added = *reinterpret_cast<const vec*>(bias);
      std::size_t i = 0;
      for (; many >= size && i < many; i += size) {
        if (i + size > many) i = many - size;  // the last square once more from where it is whole
        vec square[size];
        FMSB_UNROLL
        for (std::size_t j = 0; j < size; ++j)
          square[j] = *reinterpret_cast<const vec*>(from + (i + j) * step) + added;
        side::scatter(square, into, i);
      }
      for (; i < many; ++i)
        side::scatter_one(*reinterpret_cast<const vec*>(from + i * step) + added, into, i);
    }
  };

  struct loading_taps {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, const tap_lanes<const real>* re,
                         const tap_lanes<const real>* im, std::size_t apart, real scale, real* row,
                         real* spectrum) {
      const std::size_t along = plan->along.length(), down = plan->down.length();
      std::size_t next = 0;
      for (std::size_t h = 0; h < down; ++h) {
        const bool any = next < plan->taps.size() && plan->taps[next].row == h;
        std::memset(row, 0, along * number * sizeof(real));
        for (; next < plan->taps.size() && plan->taps[next].row == h; ++next) {
          real* const to = row + plan->taps[next].position * number;
          const std::size_t from = plan->taps[next].tap * apart;
          for (std::size_t j = 0; j < re->count; ++j) to[j] = scale * re->at[from + j];
          for (std::size_t j = 0; j < im->count; ++j) to[size + j] = scale * im->at[from + j];
        }
        if (any) lane_fft<Lanes, fft_direction::forward>(plan->along, row);
        for (std::size_t first = 0; first < along; first += plan->block) {
          const std::size_t count = std::min(plan->block, along - first);
          std::memcpy(spectrum + (first * down + h * count) * number, row + first * number,
                      count * number * sizeof(real));
        }
      }
      for (std::size_t first = 0; first < along; first += plan->block)
        lane_fft<Lanes, fft_direction::forward>(plan->down, spectrum + first * down * number,
                                                std::min(plan->block, along - first));
    }
  };

  struct storing_taps {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, real* spectrum, const tap_lanes<real>* re,
                         const tap_lanes<real>* im, std::size_t apart, real scale, real* row) {
      const std::size_t along = plan->along.length(), down = plan->down.length();
      for (std::size_t first = 0; first < along; first += plan->block)
        lane_fft<Lanes, fft_direction::inverse>(plan->down, spectrum + first * down * number,
                                                std::min(plan->block, along - first));
      for (std::size_t next = 0; next < plan->taps.size();) {
        const std::size_t h = plan->taps[next].row;
        for (std::size_t first = 0; first < along; first += plan->block) {
          const std::size_t count = std::min(plan->block, along - first);
          std::memcpy(row + first * number, spectrum + (first * down + h * count) * number,
                      count * number * sizeof(real));
        }
        lane_fft<Lanes, fft_direction::inverse>(plan->along, row);
        for (; next < plan->taps.size() && plan->taps[next].row == h; ++next) {
          const real* const from = row + plan->taps[next].position * number;
          const std::size_t to = plan->taps[next].tap * apart;
          for (std::size_t j = 0; j < re->count; ++j) re->at[to + j] = scale * from[j];
          for (std::size_t j = 0; j < im->count; ++j) im->at[to + j] = scale * from[size + j];
        }
      }
    }
  };
};

}  // namespace detail
}  // namespace fmsb::nn
