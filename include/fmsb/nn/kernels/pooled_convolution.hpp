#pragma once
#include "fmsb/core/isa.hpp"           // isa::run, isa::pack, FMSB_KERNEL, FMSB_UNROLL
#include "fmsb/nn/kernels/panels.hpp"  // kPanel

#include <cstddef>  // std::size_t, std::ptrdiff_t
#include <cstdint>  // std::uint32_t

/// Convolutions of which only the largest output and a sum over outputs are kept, in each cell of a grid: 32
/// kernels of one shape at a time, a kernel a lane. No output is ever stored. Without LibTorch; one thread a
/// call.
namespace fmsb::nn {

/// What is summed over the outputs y of a cell.
enum class pooled_sum {
  positives,  ///< how many are above 0
  rectified   ///< max(y, 0)
};

/// One example against 32 kernels.
struct pooled_task {
  const float* input = nullptr;  ///< place of the first output; whatever `offsets` reach is there
  std::size_t row_stride = 0;    ///< floats from a row of places to the next
  std::size_t step = 1;          ///< floats from a place of a row to the next
  std::size_t rows = 1, columns = 0;
  const std::ptrdiff_t* offsets = nullptr;  ///< [depth], from an output's place to each number that it reads
  std::size_t depth = 0;
  const float* weights = nullptr;           ///< [depth, 32]
  const float* bias = nullptr;              ///< [32]
  const std::uint32_t* row_cell = nullptr;  ///< [rows], the cell of a row's first column
  const std::uint32_t* cell = nullptr;      ///< [columns], added to that
  float* pooled = nullptr;                  ///< [cells, 2, 32]: the largest output and the sum; both go on
  pooled_sum sum = pooled_sum::positives;
};

/// The same over one axis, where every column of the input has a single one and else zeros.
struct one_hot_task {
  /// Place of the first output; 32 times the number of the row that holds the one, 32 times `symbols` where
  /// there is none.
  const std::uint32_t* input = nullptr;
  std::size_t columns = 0;
  const std::ptrdiff_t* offsets = nullptr;  ///< [taps]
  std::size_t taps = 0, symbols = 0;
  const float* weights = nullptr;  ///< [taps, symbols + 1, 32]; the last row of a tap is zero
  const float* bias = nullptr;
  const std::uint32_t* cell = nullptr;
  float* pooled = nullptr;
  pooled_sum sum = pooled_sum::positives;
};

/// Outputs that are computed at once: so many places behind the last one of a row are read, and left out.
inline constexpr std::size_t kPooledOutputs = 12;

namespace detail {

/// A tile of outputs, [Rows, two vectors of kernels], into the cells.
template <int Lanes, std::size_t Rows, pooled_sum Sum>
struct pooled_tile {
  using vec = typename isa::pack<Lanes, float>::type;
  using loose = typename isa::pack<Lanes, float>::unaligned;
  static constexpr std::size_t size = isa::pack<Lanes, float>::size;

  FMSB_KERNEL void start(const float* bias, vec (&y)[Rows][2]) {
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
      y[i][0] = *reinterpret_cast<const loose*>(bias);
      y[i][1] = *reinterpret_cast<const loose*>(bias + size);
    }
  }

  FMSB_KERNEL void pool(const vec& y, float* largest, float* sum) {
    const vec zero{}, one = zero + 1;
    const vec before = *reinterpret_cast<const loose*>(largest);
    *reinterpret_cast<loose*>(largest) = y > before ? y : before;
    *reinterpret_cast<loose*>(sum) += y > zero ? (Sum == pooled_sum::positives ? one : y) : zero;
  }

  FMSB_KERNEL void keep(const vec (&y)[Rows][2], std::size_t count, const std::uint32_t* cell,
                        float* pooled) {
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
      if (i >= count) break;
      float* const at = pooled + cell[i] * 2 * kPanel;
      pool(y[i][0], at, at + kPanel);
      pool(y[i][1], at + size, at + kPanel + size);
    }
  }
};

template <pooled_sum Sum>
struct pooled_dense {
  template <int Lanes>
  FMSB_KERNEL void run(const pooled_task* task) {
    constexpr std::size_t outputs = Lanes == 8 ? 12 : 6;  // times two vectors: what fills the registers
    using tile = pooled_tile<Lanes, outputs, Sum>;
    using loose = typename tile::loose;
    const pooled_task& t = *task;
    for (std::size_t part = 0; part < kPanel; part += 2 * tile::size)
      for (std::size_t row = 0; row < t.rows; ++row)
        for (std::size_t column = 0; column < t.columns; column += outputs) {
          typename tile::vec y[outputs][2];
          tile::start(t.bias + part, y);
          const float* const place = t.input + row * t.row_stride + column * t.step;
          const float* weights = t.weights + part;
          for (std::size_t k = 0; k < t.depth; ++k, weights += kPanel) {
            const typename tile::vec low = *reinterpret_cast<const loose*>(weights);
            const typename tile::vec high = *reinterpret_cast<const loose*>(weights + tile::size);
            const float* const x = place + t.offsets[k];
            FMSB_UNROLL
            for (std::size_t i = 0; i < outputs; ++i) {
              y[i][0] += x[i * t.step] * low;
              y[i][1] += x[i * t.step] * high;
            }
          }
          tile::keep(y, t.columns - column, t.cell + column, t.pooled + t.row_cell[row] * 2 * kPanel + part);
        }
  }
};

template <pooled_sum Sum>
struct pooled_one_hot {
  template <int Lanes>
  FMSB_KERNEL void run(const one_hot_task* task) {
    constexpr std::size_t outputs = Lanes == 8 ? 12 : 6;
    using tile = pooled_tile<Lanes, outputs, Sum>;
    using loose = typename tile::loose;
    const one_hot_task& t = *task;
    for (std::size_t part = 0; part < kPanel; part += 2 * tile::size)
      for (std::size_t column = 0; column < t.columns; column += outputs) {
        typename tile::vec y[outputs][2];
        tile::start(t.bias + part, y);
        const float* weights = t.weights + part;
        for (std::size_t k = 0; k < t.taps; ++k, weights += (t.symbols + 1) * kPanel) {
          const std::uint32_t* const x = t.input + static_cast<std::ptrdiff_t>(column) + t.offsets[k];
          FMSB_UNROLL
          for (std::size_t i = 0; i < outputs; ++i) {
            y[i][0] += *reinterpret_cast<const loose*>(weights + x[i]);
            y[i][1] += *reinterpret_cast<const loose*>(weights + x[i] + tile::size);
          }
        }
        tile::keep(y, t.columns - column, t.cell + column, t.pooled + part);
      }
  }
};

}  // namespace detail

/// Takes the example's outputs into the cells.
inline void convolve_and_pool(const pooled_task& task, isa::level level = isa::current()) {
  if (task.sum == pooled_sum::positives)
    isa::run_at<detail::pooled_dense<pooled_sum::positives>>(level, &task);
  else
    isa::run_at<detail::pooled_dense<pooled_sum::rectified>>(level, &task);
}

inline void convolve_and_pool(const one_hot_task& task, isa::level level = isa::current()) {
  if (task.sum == pooled_sum::positives)
    isa::run_at<detail::pooled_one_hot<pooled_sum::positives>>(level, &task);
  else
    isa::run_at<detail::pooled_one_hot<pooled_sum::rectified>>(level, &task);
}

}  // namespace fmsb::nn
