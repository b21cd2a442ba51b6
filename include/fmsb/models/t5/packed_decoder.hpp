#pragma once
#include "fmsb/models/t5/packed.hpp"  // packed_block, packed_rows, packed_memory
#include "fmsb/nn/parallel_for.hpp"   // parallel_for

#include <algorithm>  // std::min, std::max, std::copy_n
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::models::detail {

/// What does not change while a decoder runs, in float on the CPU: its weights, and keys and values of the
/// encoded tokens.
struct packed_decoder {
  packed_sizes sizes;
  std::vector<packed_block> blocks;
  packed_map logits;                  ///< with the last norm's gain
  nn::float_buffer table;             ///< [vocabulary, width], what tokens become
  nn::float_buffer hidden;            ///< [series, tokens] to add to scores, or empty
  std::vector<packed_memory> memory;  ///< of each layer

  /// @param encoded  [series, tokens, width]
  void remember(const float* encoded, std::size_t series, std::size_t tokens) {
    for (const auto& block : blocks) {
      memory.emplace_back(sizes, series, tokens);
      constexpr std::size_t kStretch = 96;
      const std::size_t stretches = (tokens + kStretch - 1) / kStretch;
      nn::parallel_for(static_cast<index_t>(series * stretches), 1, [&](index_t begin, index_t end) {
        nn::float_buffer scratch(kStretch * sizes.key_width);
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          const std::size_t one = i / stretches, first = i % stretches * kStretch;
          memory.back().put(block.cross, one, first, std::min(kStretch, tokens - first),
                            encoded + (one * tokens + first) * sizes.width, sizes.width, nullptr,
                            scratch.data());
        }
      });
    }
  }
};

/// What changes: keys and values of the sequences' own tokens, [sequence, head, token, key_width] a layer.
class packed_past {
 public:
  packed_past(const packed_sizes& sizes, std::size_t layers, std::size_t sequences)
      : sizes_(sizes), sequences_(sequences), keys_(layers), values_(layers) {}

  std::size_t length() const { return length_; }

  /// Makes room for one more token, and for `least`. Room is doubled when it runs out.
  void reserve(std::size_t least = 64) {
    if (length_ < room_) return;
    const std::size_t room = std::max(least, 2 * room_);
    for (auto* held : {&keys_, &values_})
      for (auto& layer : *held) {
        nn::float_buffer larger(sequences_ * sizes_.heads * room * sizes_.key_width);
        for (std::size_t i = 0; i < sequences_ * sizes_.heads; ++i)
          std::copy_n(layer.data() + i * room_ * sizes_.key_width, length_ * sizes_.key_width,
                      larger.data() + i * room * sizes_.key_width);
        layer = std::move(larger);
      }
    room_ = room;
  }
  void advance() { ++length_; }

  /// Puts what each sequence of another past holds of this step in the place of `copies` sequences here.
  void spread(packed_past& from, std::size_t copies) {
    for (std::size_t layer = 0; layer < keys_.size(); ++layer)
      for (std::size_t i = 0; i < sequences_; ++i)
        for (std::size_t h = 0; h < sizes_.heads; ++h) {
          const std::size_t token = length_ * sizes_.key_width;
          std::copy_n(from.keys(layer, i / copies, h) + token, sizes_.key_width, keys(layer, i, h) + token);
          std::copy_n(from.values(layer, i / copies, h) + token, sizes_.key_width,
                      values(layer, i, h) + token);
        }
  }

  float* keys(std::size_t layer, std::size_t sequence, std::size_t head) {
    return keys_[layer].data() + place(sequence, head);
  }
  float* values(std::size_t layer, std::size_t sequence, std::size_t head) {
    return values_[layer].data() + place(sequence, head);
  }
  /// Floats from a sequence's to the next one's.
  std::size_t stride() const { return sizes_.heads * room_ * sizes_.key_width; }

 private:
  std::size_t place(std::size_t sequence, std::size_t head) const {
    return (sequence * sizes_.heads + head) * room_ * sizes_.key_width;
  }

  packed_sizes sizes_;
  std::size_t sequences_, length_ = 0, room_ = 0;
  std::vector<nn::float_buffer> keys_, values_;
};

/// One token of a few sequences through the decoder.
class packed_step {
 public:
  /// @param samples  sequences of a series, which stand together
  /// @param bias     [heads, length + 1]: of the new token on those before it and itself, rows `bias_stride`
  ///                 apart
  packed_step(const packed_decoder& decoder, packed_past& past, std::size_t samples, const float* bias,
              std::size_t bias_stride)
      : decoder_(decoder), past_(past), samples_(samples), bias_(bias), bias_stride_(bias_stride) {}

  /// Sequences first .. first + count of all.
  /// @param tokens  of all sequences
  /// @param logits  [sequences, vocabulary], of all sequences
  void run(packed_rows& rows, std::size_t first, std::size_t count, const std::int64_t* tokens,
           float* logits) const {
    const auto& sizes = decoder_.sizes;
    for (std::size_t i = 0; i < count; ++i)
      std::copy_n(decoder_.table.data() + static_cast<std::size_t>(tokens[first + i]) * sizes.width,
                  sizes.width, rows.x.data() + i * rows.stride);
    for (std::size_t layer = 0; layer < decoder_.blocks.size(); ++layer) {
      const auto& block = decoder_.blocks[layer];
      rows.norm(count);
      attend_to_past(rows, layer, first, count);
      rows.add_mixed(block.self.o, count);
      rows.norm(count);
      rows.map_normed(block.cross.q, count, rows.queries.data(), rows.inner_stride);
      attend_to_series(rows, layer, first, count);
      rows.add_mixed(block.cross.o, count);
      rows.feed_forward(block, count);
    }
    rows.norm(count);
    rows.map_normed(decoder_.logits, count, logits + first * decoder_.logits.out, decoder_.logits.out);
  }

  /// What `packed_rows::scores` must hold.
  std::size_t score_floats(std::size_t rows) const {
    return std::max(nn::attend_floats(std::min(rows, samples_), decoder_.memory.front().tokens()),
                    past_.length() + 1);
  }

 private:
  void attend_to_past(packed_rows& rows, std::size_t layer, std::size_t first, std::size_t count) const {
    const auto& sizes = decoder_.sizes;
    const auto& attention = decoder_.blocks[layer].self;
    const std::size_t last = past_.length() * sizes.key_width;
    rows.map_normed(attention.q, count, rows.queries.data(), rows.inner_stride);
    for (std::size_t h = 0; h < sizes.heads; ++h) {
      rows.map_normed(attention.k[h], count, past_.keys(layer, first, h) + last, past_.stride());
      rows.map_normed(attention.v[h], count, past_.values(layer, first, h) + last, past_.stride());
    }
    const std::size_t pasts = count * sizes.heads;  // of every sequence and head, in the order of memory
    for (std::size_t i = 0; i < pasts; ++i) {
      const std::size_t sequence = first + i / sizes.heads, h = i % sizes.heads;
      const std::size_t after = i + 1 < pasts ? i + 1 : i;
      const std::size_t next = first + after / sizes.heads, next_head = after % sizes.heads;
      const std::size_t column = i / sizes.heads * rows.inner_stride + h * sizes.key_width;
      nn::attend_one({.query = rows.queries.data() + column,
                      .keys = past_.keys(layer, sequence, h),
                      .values = past_.values(layer, sequence, h),
                      .bias = bias_ + h * bias_stride_,
                      .width = sizes.key_width,
                      .count = past_.length() + 1,
                      .scores = rows.scores.data(),
                      .out = rows.mixed.data() + column,
                      .next_keys = past_.keys(layer, next, next_head),
                      .next_values = past_.values(layer, next, next_head)});
    }
  }

  void attend_to_series(packed_rows& rows, std::size_t layer, std::size_t first, std::size_t count) const {
    const auto& sizes = decoder_.sizes;
    const auto& memory = decoder_.memory[layer];
    for (std::size_t done = 0; done < count;) {
      const std::size_t series = (first + done) / samples_;
      const std::size_t end = std::min((series + 1) * samples_ - first, count);
      for (std::size_t h = 0; h < sizes.heads; ++h) {
        const std::size_t column = done * rows.inner_stride + h * sizes.key_width;
        nn::attend(
            {.queries = rows.queries.data() + column,
             .query_stride = rows.inner_stride,
             .rows = end - done,
             .width = sizes.key_width,
             .tokens = memory.tokens(),
             .keys = memory.keys(series, h),
             .values = memory.values(series, h),
             .hidden = decoder_.hidden.empty() ? nullptr : decoder_.hidden.data() + series * memory.tokens(),
             .scores = rows.scores.data(),
             .out = rows.mixed.data() + column,
             .out_stride = rows.inner_stride,
             .next_keys = h + 1 < sizes.heads ? memory.keys(series, h + 1)
                          : end < count       ? memory.keys(series + 1, 0)
                                              : nullptr});
      }
      done = end;
    }
  }

  const packed_decoder& decoder_;
  packed_past& past_;
  std::size_t samples_;
  const float* bias_;
  std::size_t bias_stride_;
};

}  // namespace fmsb::models::detail
