#pragma once
#include "fmsb/core/error.hpp"                     // usage_error
#include "fmsb/core/random_bits.hpp"               // random_bits
#include "fmsb/data/labelled.hpp"                  // labelled_set
#include "fmsb/data/random_draws.hpp"              // draw_normal, draw_below
#include "fmsb/models/floors/padded_example.hpp"   // padded_frame
#include "fmsb/models/floors/pooling_grid.hpp"     // pooling_grid
#include "fmsb/nn/kernels/panels.hpp"              // float_buffer, kPanel
#include "fmsb/nn/kernels/pooled_convolution.hpp"  // convolve_and_pool

#include <algorithm>  // std::fill_n, std::max, std::min
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t, std::ptrdiff_t
#include <cstdint>    // std::uint64_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::models {

/// Size and dilation of a convolution's kernel, on two axes the same on both.
struct kernel_shape {
  int size = 1, dilation = 1;

  std::size_t reach() const { return static_cast<std::size_t>(dilation * (size - 1) / 2); }
};

/// Kernels drawn at random for each of some shapes, never trained. Over one axis the weights are normal, over
/// two they are a patch of a training image; either is centred about its mean and scaled to norm 1. The bias
/// is minus the output at a place of a training example, both drawn, so that outputs change sign within the
/// data whatever their unit is.
///
/// Sources: Dempster, Petitjean and Webb, "ROCKET", Data Mining and Knowledge Discovery 2020, section 3
/// (centred normal kernels, dilations, share of positives and maximum), and "MiniRocket", KDD 2021, section
/// 3.2 (biases from the outputs of training examples); Coates and Ng, "The importance of encoding versus
/// training with sparse coding and vector quantization", ICML 2011 (patches as kernels).
class random_kernels {
 public:
  /// Kernels of one shape, a lane each.
  struct block {
    kernel_shape shape;
    std::size_t kernels = 0;  ///< the other lanes are zero
    std::vector<std::ptrdiff_t> offsets;
    nn::float_buffer weights;    ///< [channels, taps, 32]
    nn::float_buffer by_symbol;  ///< [taps, channels + 1, 32], the last symbol none; over one axis only
    nn::float_buffer bias;       ///< [32]
  };

  /// Kernel i of each shape follows from the seed and its number; shapes get equally many, the first ones
  /// what is left over.
  /// @throws usage_error for no kernel, shape or example, and for a shape that is not of two or three extents
  random_kernels(const data::labelled_set& train, std::span<const kernel_shape> shapes, std::size_t kernels,
                 std::uint64_t seed, std::size_t step = 1)
      : frame_(train.shape(), furthest(shapes), step) {
    if (kernels == 0 || shapes.empty() || train.size() == 0)
      throw usage_error(
          "random_kernels: there must be a kernel, a shape and an example at least; there are " +
          std::to_string(kernels) + ", " + std::to_string(shapes.size()) + " and " +
          std::to_string(train.size()) + ".");
    std::uint64_t stream = 0;
    padded_example padded(frame_);
    for (std::size_t p = 0; p < shapes.size(); ++p)
      for (std::size_t left = kernels / shapes.size() + (p < kernels % shapes.size() ? 1u : 0u); left > 0;) {
        block b = empty_block(shapes[p], std::min(left, nn::kPanel));
        for (std::size_t lane = 0; lane < b.kernels; ++lane)
          draw(b, lane, random_bits(seed, stream++), train, padded);
        left -= b.kernels;
        blocks_.push_back(std::move(b));
      }
  }

  const padded_frame& frame() const { return frame_; }
  const std::vector<block>& blocks() const { return blocks_; }

  /// What the outputs of an example come to in each cell of a grid.
  /// @param out  [blocks, cells, 2, 32]: the largest output; over one axis how many are positive, over two
  ///             the sum of max(output, 0)
  void pool(const padded_example& x, const pooling_grid& grid, float* out) const {
    for (const block& b : blocks_) {
      for (std::size_t c = 0; c < grid.cells; ++c) {
        std::fill_n(out + c * 2 * nn::kPanel, nn::kPanel, -std::numeric_limits<float>::infinity());
        std::fill_n(out + (c * 2 + 1) * nn::kPanel, nn::kPanel, 0.0F);
      }
      if (x.has_symbols())
        nn::convolve_and_pool({.input = x.symbols(),
                               .columns = frame_.columns,
                               .offsets = b.offsets.data(),
                               .taps = static_cast<std::size_t>(b.shape.size),
                               .symbols = frame_.channels,
                               .weights = b.by_symbol.data(),
                               .bias = b.bias.data(),
                               .cell = grid.cell.data(),
                               .pooled = out});
      else
        nn::convolve_and_pool(
            {.input = x.numbers(),
             .row_stride = frame_.width() * frame_.step,
             .step = frame_.step,
             .rows = frame_.places(frame_.rows),
             .columns = frame_.places(frame_.columns),
             .offsets = b.offsets.data(),
             .depth = b.offsets.size(),
             .weights = b.weights.data(),
             .bias = b.bias.data(),
             .row_cell = grid.row_cell.data(),
             .cell = grid.cell.data(),
             .pooled = out,
             .sum = frame_.two_axes ? nn::pooled_sum::rectified : nn::pooled_sum::positives});
      out += grid.cells * 2 * nn::kPanel;
    }
  }

 private:
  static std::size_t furthest(std::span<const kernel_shape> shapes) {
    std::size_t reach = 0;
    for (const auto& k : shapes) reach = std::max(reach, k.reach());
    return reach;
  }

  block empty_block(kernel_shape shape, std::size_t kernels) const {
    block b{shape, kernels, {}, {}, {}, nn::float_buffer(nn::kPanel, 0.0F)};
    const int half = (shape.size - 1) / 2;
    for (std::size_t c = 0; c < frame_.channels; ++c)
      for (int i = frame_.two_axes ? -half : 0; i <= (frame_.two_axes ? half : 0); ++i)
        for (int j = -half; j <= half; ++j)
          b.offsets.push_back(static_cast<std::ptrdiff_t>(c * frame_.plane()) +
                              shape.dilation * (i * static_cast<std::ptrdiff_t>(frame_.width()) + j));
    b.weights.assign(b.offsets.size() * nn::kPanel, 0.0F);
    if (!frame_.two_axes)
      b.by_symbol.assign(static_cast<std::size_t>(shape.size) * (frame_.channels + 1) * nn::kPanel, 0.0F);
    return b;
  }

  void draw(block& b, std::size_t lane, random_bits bits, const data::labelled_set& train,
            padded_example& padded) const {
    const auto any_place = [&] {
      padded.hold(train.values(data::draw_below(bits, train.size())));
      const auto row = data::draw_below(bits, frame_.rows), column = data::draw_below(bits, frame_.columns);
      return padded.numbers() + row * frame_.width() + column;
    };
    const std::size_t depth = b.offsets.size(), taps = depth / frame_.channels;
    std::vector<double> w(depth);
    if (frame_.two_axes) {
      const float* const patch = any_place();
      for (std::size_t k = 0; k < depth; ++k) w[k] = static_cast<double>(patch[b.offsets[k]]);
    } else {
      for (double& x : w) x = data::draw_normal(bits);
    }
    centre_and_scale(w);
    const float* const place = any_place();
    double output = 0;
    for (std::size_t k = 0; k < depth; ++k) output += w[k] * static_cast<double>(place[b.offsets[k]]);
    b.bias[lane] = static_cast<float>(-output);
    for (std::size_t k = 0; k < depth; ++k) {
      const auto weight = static_cast<float>(w[k]);
      b.weights[k * nn::kPanel + lane] = weight;
      if (!frame_.two_axes)
        b.by_symbol[(k % taps * (frame_.channels + 1) + k / taps) * nn::kPanel + lane] = weight;
    }
  }

  static void centre_and_scale(std::vector<double>& w) {
    double mean = 0, squares = 0;
    for (const double x : w) mean += x;
    mean /= static_cast<double>(w.size());
    for (double& x : w) {
      x -= mean;
      squares += x * x;
    }
    if (squares < 1e-12) return;  // a patch of one colour says nothing; its features are constant
    for (double& x : w) x /= std::sqrt(squares);
  }

  padded_frame frame_;
  std::vector<block> blocks_;
};

}  // namespace fmsb::models
