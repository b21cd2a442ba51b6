#pragma once
#include "fmsb/models/t5/packed.hpp"  // packed_block, packed_rows, packed_memory
#include "fmsb/nn/parallel_for.hpp"   // parallel_for

#include <algorithm>  // std::min, std::copy_n
#include <cstddef>    // std::size_t
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::models::detail {

/// An encoder without gradient, in float on the CPU. Each layer is two passes over stretches of tokens: keys
/// and values first, then all the rest of the layer while a stretch is in cache. The position bias is read
/// by distance, never spread out to queries times keys.
class packed_encoder {
 public:
  packed_encoder(const packed_sizes& sizes, std::vector<packed_block> blocks, nn::float_buffer last_gain)
      : sizes_(sizes), blocks_(std::move(blocks)), last_gain_(std::move(last_gain)) {}

  /// @param x         [batch, tokens, width], embedded; becomes what the encoder gives
  /// @param distance  [heads, 2 tokens - 1]: bias of a key less its query, from 1 - tokens on
  /// @param hidden    [batch, tokens] to add to scores, or null
  void run(float* x, std::size_t batch, std::size_t tokens, const float* distance,
           const float* hidden) const {
    const std::size_t stretches = (tokens + kStretch - 1) / kStretch;
    packed_memory memory(sizes_, batch, tokens);
    nn::float_buffer queries(batch * tokens * sizes_.inner());
    const std::size_t rows = std::min(kStretch, tokens);
    const auto over_stretches = [&](auto&& work) {
      nn::parallel_for(static_cast<index_t>(batch * stretches), 1, [&](index_t begin, index_t end) {
        packed_rows scratch(sizes_, rows, nn::attend_floats(rows, tokens));
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          const std::size_t first = i % stretches * kStretch;
          work(scratch, i / stretches, first, std::min(kStretch, tokens - first));
        }
      });
    };
    for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
      const auto& block = blocks_[layer];
      over_stretches([&](packed_rows& rows_of, std::size_t series, std::size_t first, std::size_t count) {
        take(rows_of, x + (series * tokens + first) * sizes_.width, count);
        rows_of.norm(count);
        rows_of.map_normed(block.self.q, count, queries.data() + (series * tokens + first) * sizes_.inner(),
                           sizes_.inner());
        memory.put(block.self, series, first, count, rows_of.x.data(), rows_of.stride, rows_of.scales.data(),
                   rows_of.mixed.data());
      });
      over_stretches([&](packed_rows& rows_of, std::size_t series, std::size_t first, std::size_t count) {
        float* const from = x + (series * tokens + first) * sizes_.width;
        take(rows_of, from, count);
        for (std::size_t h = 0; h < sizes_.heads; ++h)
          nn::attend(
              {.queries = queries.data() + (series * tokens + first) * sizes_.inner() + h * sizes_.key_width,
               .query_stride = sizes_.inner(),
               .rows = count,
               .width = sizes_.key_width,
               .tokens = tokens,
               .keys = memory.keys(series, h),
               .values = memory.values(series, h),
               .bias = distance + h * (2 * tokens - 1) + tokens - 1 - first,
               .bias_stride = -1,
               .hidden = hidden == nullptr ? nullptr : hidden + series * tokens,
               .scores = rows_of.scores.data(),
               .out = rows_of.mixed.data() + h * sizes_.key_width,
               .out_stride = rows_of.inner_stride,
               .next_keys = h + 1 < sizes_.heads ? memory.keys(series, h + 1) : nullptr});
        rows_of.add_mixed(block.self.o, count);
        rows_of.feed_forward(block, count);
        if (layer + 1 == blocks_.size()) norm_last(rows_of, count);
        give(rows_of, from, count);
      });
    }
  }

 private:
  static constexpr std::size_t kStretch = 96;  // a multiple of a panel's columns; its rows fill half an L2

  void take(packed_rows& rows, const float* from, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i)
      std::copy_n(from + i * sizes_.width, sizes_.width, rows.x.data() + i * rows.stride);
  }
  void give(const packed_rows& rows, float* into, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i)
      std::copy_n(rows.x.data() + i * rows.stride, sizes_.width, into + i * sizes_.width);
  }
  void norm_last(packed_rows& rows, std::size_t count) const {
    rows.norm(count);
    for (std::size_t i = 0; i < count; ++i) {
      float* const row = rows.x.data() + i * rows.stride;
      for (std::size_t j = 0; j < sizes_.width; ++j) row[j] *= rows.scales[i] * last_gain_[j];
    }
  }

  packed_sizes sizes_;
  std::vector<packed_block> blocks_;
  nn::float_buffer last_gain_;
};

}  // namespace fmsb::models::detail
