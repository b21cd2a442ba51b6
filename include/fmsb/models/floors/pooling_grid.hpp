#pragma once
#include "fmsb/core/error.hpp"                    // usage_error
#include "fmsb/models/floors/padded_example.hpp"  // padded_frame
#include "fmsb/nn/kernels/panels.hpp"             // kPanel

#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint32_t
#include <limits>     // std::numeric_limits
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::models {

/// The places of an example in equal parts: `parts` segments over one axis, parts x parts cells over two.
struct pooling_grid {
  std::size_t parts = 1, cells = 1;
  bool two_axes = false;
  std::vector<std::uint32_t> row_cell, cell;  ///< the cell of a place is row_cell[row] + cell[column]
  std::vector<float> sizes;                   ///< [cells], places of each

  /// @throws usage_error for no part, and where an axis has fewer places than parts
  pooling_grid(const padded_frame& frame, std::size_t wanted)
      : parts(wanted), cells(frame.two_axes ? wanted * wanted : wanted), two_axes(frame.two_axes) {
    const std::size_t rows = frame.places(frame.rows), columns = frame.places(frame.columns);
    if (parts == 0 || columns < parts || (two_axes && rows < parts))
      throw usage_error("random_convolution: " + std::to_string(columns) +
                        (two_axes ? " x " + std::to_string(rows) : "") + " places cannot be pooled in " +
                        std::to_string(parts) +
                        " parts along an axis; give from 1 to as many parts as places.");
    sizes.assign(cells, 0.0F);
    for (std::size_t r = 0; r < rows; ++r)
      row_cell.push_back(static_cast<std::uint32_t>(two_axes ? r * parts / rows * parts : 0));
    for (std::size_t c = 0; c < columns; ++c) cell.push_back(static_cast<std::uint32_t>(c * parts / columns));
    for (const auto r : row_cell)
      for (const auto c : cell) ++sizes[r + c];
  }

  /// Floats that a block of 32 kernels leaves: `random_kernels::pool`.
  std::size_t pooled_floats() const { return cells * 2 * nn::kPanel; }
  /// Features of a block: over one axis maximum and share of positives of each segment, over two the mean of
  /// each cell and one maximum.
  std::size_t feature_floats() const { return (two_axes ? cells + 1 : 2 * cells) * nn::kPanel; }

  /// Features from what was pooled on a grid of which every part of this one is some parts.
  /// @param pooled  [fine.cells, 2, 32]
  /// @param out     [2 * cells, 32], or [cells + 1, 32] over two axes
  void features(const pooling_grid& fine, const float* pooled, float* out) const {
    const std::size_t each = fine.parts / parts;
    std::vector<float> largest(cells * nn::kPanel, -std::numeric_limits<float>::infinity());
    std::vector<float> sum(cells * nn::kPanel);
    for (std::size_t f = 0; f < fine.cells; ++f) {
      const std::size_t c = two_axes ? f / fine.parts / each * parts + f % fine.parts / each : f / each;
      const float* const from = pooled + f * 2 * nn::kPanel;
      for (std::size_t j = 0; j < nn::kPanel; ++j) {
        largest[c * nn::kPanel + j] = std::max(largest[c * nn::kPanel + j], from[j]);
        sum[c * nn::kPanel + j] += from[nn::kPanel + j];
      }
    }
    for (std::size_t c = 0; c < cells; ++c)
      for (std::size_t j = 0; j < nn::kPanel; ++j) *out++ = sum[c * nn::kPanel + j] / sizes[c];
    if (two_axes)
      for (std::size_t c = 1; c < cells; ++c)
        for (std::size_t j = 0; j < nn::kPanel; ++j)
          largest[j] = std::max(largest[j], largest[c * nn::kPanel + j]);
    for (std::size_t k = 0; k < (two_axes ? 1 : cells) * nn::kPanel; ++k) *out++ = largest[k];
  }
};

}  // namespace fmsb::models
