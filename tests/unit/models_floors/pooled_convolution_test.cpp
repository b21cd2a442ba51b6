#include "fmsb/nn/kernels/pooled_convolution.hpp"

#include "fmsb/models/floors/padded_example.hpp"
#include "fmsb/models/floors/pooling_grid.hpp"

#include "support/levels.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::clamp, std::max, std::min
#include <cstddef>    // std::size_t, std::ptrdiff_t
#include <limits>     // std::numeric_limits
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

/// A kernel of whole numbers on an example of whole numbers: every sum is exact, in whatever order.
struct drawn {
  models::padded_frame frame;
  int size, dilation;
  std::vector<float> x, weights, bias;  // [channels, rows, columns], [channels, taps, 32], [32]

  drawn(std::vector<std::size_t> shape, int kernel, int rate, std::size_t step)
      : frame(shape, static_cast<std::size_t>(rate * (kernel - 1) / 2), step), size(kernel), dilation(rate) {
    draw(x, frame.channels * frame.rows * frame.columns);
    draw(weights, frame.channels * taps() * nn::kPanel);
    draw(bias, nn::kPanel);
  }
  static void draw(std::vector<float>& to, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) to.push_back(static_cast<float>(*rc::gen::inRange(-4, 5)));
  }
  std::size_t taps() const { return static_cast<std::size_t>(frame.two_axes ? size * size : size); }

  /// From the definition: over one axis zeros surround the signal, over two its border goes on.
  float output(std::ptrdiff_t row, std::ptrdiff_t column, std::size_t lane) const {
    const int half = (size - 1) / 2;
    float sum = bias[lane];
    for (std::size_t c = 0; c < frame.channels; ++c) {
      std::size_t t = 0;
      for (int i = frame.two_axes ? -half : 0; i <= (frame.two_axes ? half : 0); ++i)
        for (int j = -half; j <= half; ++j, ++t)
          sum += weights[(c * taps() + t) * nn::kPanel + lane] *
                 number(c, row + dilation * i, column + dilation * j);
    }
    return sum;
  }
  float number(std::size_t c, std::ptrdiff_t row, std::ptrdiff_t column) const {
    const auto last = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n) - 1; };
    if (!frame.two_axes && (column < 0 || column > last(frame.columns))) return 0;
    const auto r = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(row, 0, last(frame.rows)));
    const auto l = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(column, 0, last(frame.columns)));
    return x[(c * frame.rows + r) * frame.columns + l];
  }

  std::vector<float> plain(const models::pooling_grid& grid, nn::pooled_sum kind) const {
    std::vector<float> out = emptied(grid);
    for (std::size_t r = 0; r < frame.places(frame.rows); ++r)
      for (std::size_t c = 0; c < frame.places(frame.columns); ++c)
        for (std::size_t j = 0; j < nn::kPanel; ++j) {
          const float y = output(static_cast<std::ptrdiff_t>(r * frame.step),
                                 static_cast<std::ptrdiff_t>(c * frame.step), j);
          float* const at = out.data() + (grid.row_cell[r] + grid.cell[c]) * 2 * nn::kPanel + j;
          at[0] = std::max(at[0], y);
          if (y > 0) at[nn::kPanel] += kind == nn::pooled_sum::positives ? 1.0F : y;
        }
    return out;
  }
  static std::vector<float> emptied(const models::pooling_grid& grid) {
    std::vector<float> out(grid.pooled_floats());
    for (std::size_t i = 0; i < out.size(); ++i)
      if (i / nn::kPanel % 2 == 0) out[i] = -std::numeric_limits<float>::infinity();
    return out;
  }
};

std::vector<std::ptrdiff_t> offsets_of(const drawn& d) {
  std::vector<std::ptrdiff_t> out;
  const int half = (d.size - 1) / 2;
  for (std::size_t c = 0; c < d.frame.channels; ++c)
    for (int i = d.frame.two_axes ? -half : 0; i <= (d.frame.two_axes ? half : 0); ++i)
      for (int j = -half; j <= half; ++j)
        out.push_back(static_cast<std::ptrdiff_t>(c * d.frame.plane()) +
                      d.dilation * (i * static_cast<std::ptrdiff_t>(d.frame.width()) + j));
  return out;
}

}  // namespace

TEST_CASE("pooled convolution: largest output and sum of every cell, at every instruction set") {
  CHECK(test::holds("as from the definition, to the bit", [] {
    const bool image = *rc::gen::arbitrary<bool>();
    const auto extent = [](std::size_t end) { return *rc::gen::inRange<std::size_t>(1, end); };
    const auto shape =
        image ? std::vector{extent(4), extent(12), extent(12)} : std::vector{extent(6), extent(40)};
    const drawn d(shape, 2 * *rc::gen::inRange(0, 3) + 1, *rc::gen::inRange(1, 5), image ? extent(4) : 1);
    const auto room = std::min(d.frame.places(d.frame.rows), d.frame.places(d.frame.columns));
    const models::pooling_grid grid(d.frame, extent((image ? room : d.frame.columns) + 1));
    const auto kind = *rc::gen::element(nn::pooled_sum::positives, nn::pooled_sum::rectified);
    models::padded_example padded(d.frame);
    padded.hold(d.x);
    const auto offsets = offsets_of(d);
    for (const auto level : test::levels()) {
      auto found = drawn::emptied(grid);
      nn::convolve_and_pool(nn::pooled_task{.input = padded.numbers(),
                                            .row_stride = d.frame.width() * d.frame.step,
                                            .step = d.frame.step,
                                            .rows = d.frame.places(d.frame.rows),
                                            .columns = d.frame.places(d.frame.columns),
                                            .offsets = offsets.data(),
                                            .depth = offsets.size(),
                                            .weights = d.weights.data(),
                                            .bias = d.bias.data(),
                                            .row_cell = grid.row_cell.data(),
                                            .cell = grid.cell.data(),
                                            .pooled = found.data(),
                                            .sum = kind},
                            level);
      RC_ASSERT(found == d.plain(grid, kind));
    }
  }));
}

TEST_CASE("pooled convolution: one-hot columns by symbols as by numbers, positions without a symbol too") {
  CHECK(test::holds("as from the definition, to the bit", [] {
    const auto channels = *rc::gen::inRange<std::size_t>(1, 6),
               length = *rc::gen::inRange<std::size_t>(1, 40);
    drawn d({channels, length}, 2 * *rc::gen::inRange(0, 4) + 1, *rc::gen::inRange(1, 5), 1);
    d.x.assign(channels * length, 0.0F);
    for (std::size_t i = 0; i < length; ++i)
      if (const auto c = *rc::gen::inRange<std::size_t>(0, channels + 1); c < channels)
        d.x[c * length + i] = 1;
    const models::pooling_grid grid(d.frame, *rc::gen::inRange<std::size_t>(1, length + 1));
    models::padded_example padded(d.frame);
    padded.hold(d.x);
    RC_ASSERT(padded.has_symbols());
    std::vector<float> by_symbol(d.taps() * (channels + 1) * nn::kPanel);
    std::vector<std::ptrdiff_t> offsets;
    for (std::size_t t = 0; t < d.taps(); ++t) {
      offsets.push_back(d.dilation * (static_cast<std::ptrdiff_t>(t) - (d.size - 1) / 2));
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t j = 0; j < nn::kPanel; ++j)
          by_symbol[(t * (channels + 1) + c) * nn::kPanel + j] =
              d.weights[(c * d.taps() + t) * nn::kPanel + j];
    }
    const auto kind = *rc::gen::element(nn::pooled_sum::positives, nn::pooled_sum::rectified);
    for (const auto level : test::levels()) {
      auto found = drawn::emptied(grid);
      nn::convolve_and_pool(nn::one_hot_task{.input = padded.symbols(),
                                             .columns = length,
                                             .offsets = offsets.data(),
                                             .taps = d.taps(),
                                             .symbols = channels,
                                             .weights = by_symbol.data(),
                                             .bias = d.bias.data(),
                                             .cell = grid.cell.data(),
                                             .pooled = found.data(),
                                             .sum = kind},
                            level);
      RC_ASSERT(found == d.plain(grid, kind));
    }
  }));
}

TEST_CASE("padded_example: columns with another number than a single one are no symbols") {
  const models::padded_frame frame({2, 3}, 1);
  models::padded_example x(frame);
  x.hold(std::vector<float>{1, 0, 0, 0, 1, 0});
  CHECK(x.has_symbols());
  x.hold(std::vector<float>{1, 0, 0, 1, 0, 0});
  CHECK_FALSE(x.has_symbols());
  x.hold(std::vector<float>{2, 0, 0, 0, 0, 0});
  CHECK_FALSE(x.has_symbols());
  CHECK_THROWS_AS(models::padded_frame({4}, 0), usage_error);
  CHECK_THROWS_AS(models::padded_frame({1, 0}, 0), usage_error);
  CHECK_THROWS_AS(models::pooling_grid(frame, 4), usage_error);
  CHECK_THROWS_AS(models::pooling_grid(frame, 0), usage_error);
}

TEST_CASE("pooling_grid: features of few parts are the same from their own cells and from finer ones") {
  CHECK(test::holds("pooling of what was pooled", [] {
    const bool image = *rc::gen::arbitrary<bool>();
    const std::size_t parts = *rc::gen::inRange<std::size_t>(1, 4),
                      each = *rc::gen::inRange<std::size_t>(1, 4);
    const std::size_t n = parts * each + *rc::gen::inRange<std::size_t>(0, 9);
    const drawn d(image ? std::vector<std::size_t>{2, n, n} : std::vector<std::size_t>{2, n}, 3, 1, 1);
    const models::pooling_grid fine(d.frame, parts * each), coarse(d.frame, parts);
    const auto kind = image ? nn::pooled_sum::rectified : nn::pooled_sum::positives;
    std::vector<float> one(coarse.feature_floats()), other(one.size());
    coarse.features(fine, d.plain(fine, kind).data(), one.data());
    coarse.features(coarse, d.plain(coarse, kind).data(), other.data());
    RC_ASSERT(one == other);
    const auto pooled = d.plain(coarse, kind);
    for (std::size_t j = 0; j < nn::kPanel; ++j) {
      float largest = pooled[j];
      for (std::size_t c = 0; c < coarse.cells; ++c) {
        largest = std::max(largest, pooled[c * 2 * nn::kPanel + j]);
        RC_ASSERT(one[c * nn::kPanel + j] == pooled[(c * 2 + 1) * nn::kPanel + j] / coarse.sizes[c]);
        if (!image) RC_ASSERT(one[(coarse.cells + c) * nn::kPanel + j] == pooled[c * 2 * nn::kPanel + j]);
      }
      if (image) RC_ASSERT(one[coarse.cells * nn::kPanel + j] == largest);
    }
  }));
}
