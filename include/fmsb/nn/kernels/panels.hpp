#pragma once
#include "fmsb/core/isa.hpp"  // isa::run, isa::pack, FMSB_KERNEL, FMSB_UNROLL

#include <cstddef>  // std::size_t
#include <cstring>  // std::memcpy
#include <new>      // std::align_val_t
#include <vector>   // std::vector

/// Products of small float matrices of which one is used many times: it is laid out once in the order in
/// which a product reads it. Without LibTorch; one thread a call, and calls may share the matrix.
namespace fmsb::nn {

/// Memory from an address that a whole cache line starts at.
template <class T>
struct line_allocator {
  using value_type = T;
  line_allocator() = default;
  template <class U>
  line_allocator(const line_allocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64))); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(64)); }
  /// Without a value: left as the memory is, since what follows writes it.
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    ::new (static_cast<void*>(p)) U(static_cast<Args&&>(args)...);
  }
  friend bool operator==(const line_allocator&, const line_allocator&) { return true; }
};
using float_buffer = std::vector<float, line_allocator<float>>;

/// Columns of a panel.
inline constexpr std::size_t kPanel = 32;

constexpr std::size_t panels_for(std::size_t columns) { return (columns + kPanel - 1) / kPanel; }
/// Floats that a matrix of so many columns and so much depth takes in panels.
constexpr std::size_t panel_floats(std::size_t columns, std::size_t depth) {
  return panels_for(columns) * kPanel * depth;
}

/// Lays out the transpose of rows: column j of the right factor is row j of `from`. Panel p holds columns
/// 32 p .. 32 p + 31, for each depth k beside each other; what is left of the last panel is zero.
///
/// @param from    [columns, depth], rows `stride` floats apart
/// @param gain    [depth], a factor of each depth; null: 1
/// @param panels  [panels_for(columns), depth, 32]
inline void pack_rows(const float* from, std::size_t stride, std::size_t columns, std::size_t depth,
                      const float* gain, float* panels) {
  for (std::size_t first = 0; first < columns; first += kPanel, panels += kPanel * depth) {
    const std::size_t count = columns - first < kPanel ? columns - first : kPanel;
    if (count < kPanel) std::memset(panels, 0, kPanel * depth * sizeof(float));
    constexpr std::size_t kBlock = 16;  // so that the lines read and the lines written stay in cache
    for (std::size_t k = 0; k < depth; k += kBlock) {
      const std::size_t end = k + kBlock < depth ? k + kBlock : depth;
      for (std::size_t j = 0; j < count; ++j) {
        const float* const row = from + (first + j) * stride;
        for (std::size_t i = k; i < end; ++i)
          panels[i * kPanel + j] = gain == nullptr ? row[i] : row[i] * gain[i];
      }
    }
  }
}

/// What becomes of a product before it is stored: scale[row] * sum + bias[column] + added[row, column], and
/// zero instead of what is negative. What is null is left out.
struct product_end {
  const float* row_scale = nullptr;  ///< [rows]
  const float* bias = nullptr;       ///< [columns]
  const float* added = nullptr;      ///< [rows, columns], may be where the product goes
  std::size_t added_stride = 0;      ///< floats from row to row
  bool rectified = false;
};

/// The factors of a product and where it goes. Column j of the right factor is column j mod 32 of panel j /
/// 32.
struct product_task {
  const float* left = nullptr;  ///< [rows, depth]
  std::size_t left_stride = 0;
  std::size_t rows = 0, depth = 0;
  const float* panels = nullptr;
  std::size_t columns = 0;
  float* out = nullptr;  ///< [rows, columns]
  std::size_t out_stride = 0;
  std::size_t panel_distance = 0;     ///< floats between panels of the right factor; 0: 32 * depth
  std::size_t out_distance = kPanel;  ///< floats from what a panel gives to what the next one gives
  product_end end = {};
  const float* next = nullptr;  ///< what will be read next: its first lines are fetched meanwhile
};

namespace detail {

/// Vectors of floats of a kernel that was given `Lanes` doubles.
template <int Lanes>
struct float_pack : isa::pack<Lanes, float> {
  using isa::pack<Lanes, float>::size;
  using whole [[gnu::vector_size(size * sizeof(float))]] = int;
  using bits [[gnu::vector_size(size * sizeof(float))]] = unsigned;
};

/// left times panels. A block of rows times two vectors of columns stays in registers over the whole depth:
/// 12 rows fill 32 registers, 6 rows 16. Each sum runs over rising depth, whatever block it falls into, so
/// that a row's results do not depend on the rows beside it.
struct panel_product {
  template <int Lanes>
  FMSB_KERNEL void run(const product_task* task) {
    const product_task& t = *task;
    constexpr std::size_t width = 2 * float_pack<Lanes>::size;
    const std::size_t distance = t.panel_distance == 0 ? kPanel * t.depth : t.panel_distance;
    for (std::size_t first = 0; first < t.columns; first += kPanel) {
      const float* const panel = t.panels + first / kPanel * distance;
      const bool last = first + kPanel >= t.columns;
      const float* const next = !last ? panel + distance : t.next != nullptr ? t.next : panel;
      for (std::size_t part = 0; part < kPanel && first + part < t.columns; part += width)
        columns<Lanes>(t, panel + part, next + part, first + part,
                       t.out + first / kPanel * t.out_distance + part);
    }
  }

 private:
  template <int Lanes>
  FMSB_KERNEL void columns(const product_task& t, const float* panel, const float* next, std::size_t column,
                           float* out) {
    constexpr std::size_t most = Lanes == 8 ? 12 : 6;
    std::size_t row = 0;
    if (t.rows >= most) row = block<Lanes, most, true>(t, panel, next, row, column, out);
    while (row + most <= t.rows) row = block<Lanes, most, false>(t, panel, next, row, column, out);
    if constexpr (Lanes == 8)
      if (row + 8 <= t.rows) row = block<Lanes, 8, false>(t, panel, next, row, column, out);
    if (row + 4 <= t.rows) row = block<Lanes, 4, false>(t, panel, next, row, column, out);
    if (row + 2 <= t.rows) row = block<Lanes, 2, false>(t, panel, next, row, column, out);
    if (row < t.rows) block<Lanes, 1, false>(t, panel, next, row, column, out);
  }

  /// @tparam Fetch  whether what is read next is fetched into the second cache, as fast as this is read
  /// @return the row behind the block
  template <int Lanes, std::size_t Rows, bool Fetch>
  FMSB_KERNEL std::size_t block(const product_task& t, const float* panel, const float* next, std::size_t row,
                                std::size_t column, float* out) {
    using vec = typename float_pack<Lanes>::type;
    using loose = typename float_pack<Lanes>::unaligned;
    constexpr std::size_t size = float_pack<Lanes>::size;
    vec sum[Rows][2];
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) sum[i][0] = sum[i][1] = vec{};
    const float* const left = t.left + row * t.left_stride;
    for (std::size_t k = 0; k < t.depth; ++k) {
      const vec low = *reinterpret_cast<const loose*>(panel + k * kPanel);
      const vec high = *reinterpret_cast<const loose*>(panel + k * kPanel + size);
      if constexpr (Fetch) {
        __builtin_prefetch(next + k * kPanel, 0, 2);
        if constexpr (Lanes == 8) __builtin_prefetch(next + k * kPanel + size, 0, 2);
      }
      FMSB_UNROLL
      for (std::size_t i = 0; i < Rows; ++i) {
        const float x = left[i * t.left_stride + k];
        sum[i][0] += x * low;
        sum[i][1] += x * high;
      }
    }
    if (column + 2 * size > t.columns) {
      alignas(64) float tile[Rows][2 * size];
      FMSB_UNROLL
      for (std::size_t i = 0; i < Rows; ++i) {
        *reinterpret_cast<loose*>(tile[i]) = sum[i][0];
        *reinterpret_cast<loose*>(tile[i] + size) = sum[i][1];
      }
      store_some(t, tile[0], 2 * size, Rows, row, column, out);
      return row + Rows;
    }
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
      if (t.end.row_scale != nullptr) {
        sum[i][0] *= t.end.row_scale[row + i];
        sum[i][1] *= t.end.row_scale[row + i];
      }
      if (t.end.bias != nullptr) {
        sum[i][0] += *reinterpret_cast<const loose*>(t.end.bias + column);
        sum[i][1] += *reinterpret_cast<const loose*>(t.end.bias + column + size);
      }
      if (t.end.added != nullptr) {
        const float* const added = t.end.added + (row + i) * t.end.added_stride + column;
        sum[i][0] += *reinterpret_cast<const loose*>(added);
        sum[i][1] += *reinterpret_cast<const loose*>(added + size);
      }
      if (t.end.rectified) {
        sum[i][0] = sum[i][0] > 0 ? sum[i][0] : vec{};
        sum[i][1] = sum[i][1] > 0 ? sum[i][1] : vec{};
      }
      float* const to = out + (row + i) * t.out_stride;
      *reinterpret_cast<loose*>(to) = sum[i][0];
      *reinterpret_cast<loose*>(to + size) = sum[i][1];
    }
    return row + Rows;
  }

  /// The columns that are left where a product does not fill its last vectors.
  [[gnu::noinline]] static void store_some(const product_task& t, const float* tile, std::size_t width,
                                           std::size_t rows, std::size_t row, std::size_t column,
                                           float* out) {
    for (std::size_t i = row; i < row + rows; ++i, tile += width)
      for (std::size_t j = 0; j < width && column + j < t.columns; ++j) {
        float x = tile[j];
        if (t.end.row_scale != nullptr) x *= t.end.row_scale[i];
        if (t.end.bias != nullptr) x += t.end.bias[column + j];
        if (t.end.added != nullptr) x += t.end.added[i * t.end.added_stride + column + j];
        out[i * t.out_stride + j] = t.end.rectified && !(x > 0) ? 0 : x;
      }
  }
};

}  // namespace detail

/// Computes the task's product, on the calling thread.
inline void multiply(const product_task& task) { isa::run<detail::panel_product>(&task); }

}  // namespace fmsb::nn
