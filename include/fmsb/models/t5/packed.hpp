#pragma once
#include "fmsb/core/extent.hpp"        // index_t
#include "fmsb/models/t5/config.hpp"   // t5_config
#include "fmsb/nn/kernels/attend.hpp"  // attend, attend_one, find_rms_scales
#include "fmsb/nn/kernels/panels.hpp"  // float_buffer, pack_rows, multiply
#include "fmsb/nn/torch.hpp"           // tensor

#include <algorithm>  // std::all_of, std::fill
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <tuple>      // std::tuple_size_v
#include <vector>     // std::vector

/// A T5's weights as the kernels read them: effective ones, adapters and the gains of norms folded in.
namespace fmsb::models::detail {

/// y = x W' + b of a layer, its weight in panels; or of some of its rows.
struct packed_map {
  nn::float_buffer panels, bias;
  std::size_t in = 0, out = 0;

  /// @param x      [rows, in]
  /// @param where  out and out_stride; left, panels and sizes are set here
  void apply(const float* x, std::size_t stride, std::size_t rows, nn::product_task where) const {
    where.left = x;
    where.left_stride = stride;
    where.rows = rows;
    where.depth = in;
    where.panels = panels.data();
    where.columns = out;
    where.end.bias = bias.empty() ? nullptr : bias.data();
    nn::multiply(where);
  }
};

/// @param weight  [out, in], float on the CPU
/// @param bias    [out] or undefined
/// @param gain    [in], of the norm in front, or undefined
inline packed_map pack(const tensor& weight, const tensor& bias, const tensor& gain) {
  const auto w = weight.contiguous();
  packed_map map;
  map.in = static_cast<std::size_t>(w.size(1));
  map.out = static_cast<std::size_t>(w.size(0));
  map.panels.resize(nn::panel_floats(map.out, map.in));
  const auto g = gain.defined() ? gain.contiguous() : gain;
  nn::pack_rows(w.const_data_ptr<float>(), map.in, map.out, map.in,
                g.defined() ? g.const_data_ptr<float>() : nullptr, map.panels.data());
  if (bias.defined()) {
    const auto b = bias.contiguous();
    map.bias.assign(b.const_data_ptr<float>(), b.const_data_ptr<float>() + map.out);
  }
  return map;
}

template <class Layer>
packed_map pack_layer(const Layer& layer, const tensor& gain = {}) {
  return pack(layer.effective_weight(), layer.effective_bias(), gain);
}

/// The same, the rows of each head by themselves: what it gives stands head by head.
template <t5_config C, class Layer>
std::vector<packed_map> pack_heads(const Layer& layer, const tensor& gain = {}) {
  const auto weight = layer.effective_weight(), bias = layer.effective_bias();
  std::vector<packed_map> heads;
  for (index_t h = 0; h < C.heads; ++h)
    heads.push_back(pack(weight.narrow(0, h * C.key_width, C.key_width),
                         bias.defined() ? bias.narrow(0, h * C.key_width, C.key_width) : bias, gain));
  return heads;
}

/// The gain of a root-mean-square norm, whatever adapts it: what it makes of ones, in double so that it comes
/// back unrounded.
template <t5_config C, class Norm>
tensor gain_of(const Norm& norm) {
  const auto ones = at::ones({C.width}, norm.weight.options().dtype(at::kDouble).requires_grad(false));
  return (norm.forward(ones) * std::sqrt(1 + C.epsilon)).to(at::kFloat);
}

/// An attention layer: queries of all heads beside each other, keys and values by head.
struct packed_attention {
  packed_map q, o;
  std::vector<packed_map> k, v;
};

struct packed_block {
  packed_attention self, cross;
  packed_map wi, wo;
};

template <t5_config C, class Attention>
packed_attention pack_attention(const Attention& attention, const tensor& query_gain,
                                const tensor& key_gain) {
  return {.q = pack_layer(attention.template at<"q">(), query_gain),
          .o = pack_layer(attention.template at<"o">()),
          .k = pack_heads<C>(attention.template at<"k">(), key_gain),
          .v = pack_heads<C>(attention.template at<"v">(), key_gain)};
}

template <t5_config C, class Steps>
packed_block pack_block(const Steps& steps) {
  const auto norm = [](const auto& residual) { return gain_of<C>(residual.template at<"layer_norm">()); };
  const auto fill_mapping = [&](packed_block& block, const auto& mapping) {
    block.wi = pack_layer(mapping.part().template at<"wi">(), norm(mapping));
    block.wo = pack_layer(mapping.part().template at<"wo">());
  };
  packed_block block;
  const auto& self = steps.template at<"0">();
  block.self = pack_attention<C>(self.part(), norm(self), norm(self));
  if constexpr (std::tuple_size_v<typename Steps::children> == 3) {
    const auto& cross = steps.template at<"1">();
    block.cross = pack_attention<C>(cross.part(), norm(cross), {});
    fill_mapping(block, steps.template at<"2">());
  } else {
    fill_mapping(block, steps.template at<"1">());
  }
  return block;
}

template <t5_config C, class Stack>
std::vector<packed_block> pack_stack(const Stack& stack) {
  std::vector<packed_block> blocks;
  stack.blocks().for_each(
      [&](const auto& block) { blocks.push_back(pack_block<C>(block.template at<"layer">())); });
  return blocks;
}

/// Sizes that the passes below need.
struct packed_sizes {
  std::size_t width, heads, key_width, feed_forward;
  double epsilon;
  std::size_t inner() const { return heads * key_width; }
};

template <t5_config C>
packed_sizes sizes_of() {
  return {static_cast<std::size_t>(C.width), static_cast<std::size_t>(C.heads),
          static_cast<std::size_t>(C.key_width), static_cast<std::size_t>(C.feed_forward), C.epsilon};
}

/// What a few rows of tokens go through, each in memory that stays in a core's cache. Rows are a little
/// longer than their content: powers of two would all fall into the same places of it.
class packed_rows {
 public:
  packed_rows() = default;
  packed_rows(const packed_sizes& sizes, std::size_t rows, std::size_t score_floats)
      : sizes_(sizes),
        stride(sizes.width + 16),
        inner_stride(sizes.inner() + 16),
        x(rows * stride),
        queries(rows * inner_stride),
        mixed(rows * inner_stride),
        scales(rows),
        scores(score_floats),
        hidden_(rows * (sizes.feed_forward + 16)) {}

  /// Rows that there is room for.
  std::size_t capacity() const { return scales.size(); }

  /// Finds the norms' factors of the rows: the gains stand in the weights.
  void norm(std::size_t rows) {
    nn::find_rms_scales({.rows = x.data(),
                         .stride = stride,
                         .count = rows,
                         .width = sizes_.width,
                         .epsilon = sizes_.epsilon,
                         .scales = scales.data()});
  }

  /// A map of the normed rows.
  void map_normed(const packed_map& map, std::size_t rows, float* out, std::size_t out_stride,
                  std::size_t out_distance = nn::kPanel, bool rectified = false) const {
    map.apply(x.data(), stride, rows,
              {.out = out,
               .out_stride = out_stride,
               .out_distance = out_distance,
               .end = {.row_scale = scales.data(), .rectified = rectified}});
  }

  /// x += map(y), y [rows, ...].
  void add(const packed_map& map, const float* y, std::size_t y_stride, std::size_t rows) {
    map.apply(y, y_stride, rows,
              {.out = x.data(), .out_stride = stride, .end = {.added = x.data(), .added_stride = stride}});
  }
  void add_mixed(const packed_map& o, std::size_t rows) { add(o, mixed.data(), inner_stride, rows); }

  /// x += wo(relu(wi(norm(x)))).
  void feed_forward(const packed_block& block, std::size_t rows) {
    const std::size_t hidden_stride = sizes_.feed_forward + 16;
    norm(rows);
    map_normed(block.wi, rows, hidden_.data(), hidden_stride, nn::kPanel, true);
    add(block.wo, hidden_.data(), hidden_stride, rows);
  }

 private:
  packed_sizes sizes_{};

 public:
  std::size_t stride = 0, inner_stride = 0;
  nn::float_buffer x;        ///< [rows, width]: the residual stream
  nn::float_buffer queries;  ///< [rows, inner]
  nn::float_buffer mixed;    ///< [rows, inner]: what attention gives
  nn::float_buffer scales;   ///< [rows]: of the norm
  nn::float_buffer scores;   ///< for attention's use

 private:
  nn::float_buffer hidden_;  ///< [rows, feed_forward]
};

/// Keys and values of sequences, by sequence and head, in panels.
class packed_memory {
 public:
  packed_memory() = default;
  packed_memory(const packed_sizes& sizes, std::size_t sequences, std::size_t tokens)
      : heads_(sizes.heads),
        tokens_(tokens),
        key_floats_(nn::panel_floats(tokens, sizes.key_width)),
        value_floats_(nn::panel_floats(sizes.key_width, tokens)),
        keys_(sequences * heads_ * key_floats_),
        values_(sequences * heads_ * value_floats_) {
    if (sizes.key_width % nn::kPanel != 0) std::fill(values_.begin(), values_.end(), 0.0F);
  }

  std::size_t tokens() const { return tokens_; }
  float* keys(std::size_t sequence, std::size_t head) {
    return keys_.data() + (sequence * heads_ + head) * key_floats_;
  }
  float* values(std::size_t sequence, std::size_t head) {
    return values_.data() + (sequence * heads_ + head) * value_floats_;
  }
  const float* keys(std::size_t sequence, std::size_t head) const {
    return keys_.data() + (sequence * heads_ + head) * key_floats_;
  }
  const float* values(std::size_t sequence, std::size_t head) const {
    return values_.data() + (sequence * heads_ + head) * value_floats_;
  }

  /// Puts tokens first .. first + rows of a sequence, `first` a multiple of 32, in their places.
  /// @param x        [rows, width]
  /// @param scales   [rows] of a norm, or null
  /// @param scratch  [rows, key_width]
  void put(const packed_attention& attention, std::size_t sequence, std::size_t first, std::size_t rows,
           const float* x, std::size_t stride, const float* scales, float* scratch) {
    for (std::size_t h = 0; h < heads_; ++h) {
      const std::size_t key_width = attention.k[h].out;
      attention.k[h].apply(x, stride, rows,
                           {.out = scratch, .out_stride = key_width, .end = {.row_scale = scales}});
      nn::pack_rows(scratch, key_width, rows, key_width, nullptr, keys(sequence, h) + first * key_width);
      attention.v[h].apply(x, stride, rows,
                           {.out = values(sequence, h) + first * nn::kPanel,
                            .out_stride = nn::kPanel,
                            .out_distance = tokens_ * nn::kPanel,
                            .end = {.row_scale = scales}});
    }
  }

 private:
  std::size_t heads_ = 0, tokens_ = 0, key_floats_ = 0, value_floats_ = 0;
  nn::float_buffer keys_, values_;
};

inline nn::float_buffer floats_of(const tensor& x) {
  const auto whole = x.contiguous();
  return {whole.const_data_ptr<float>(), whole.const_data_ptr<float>() + whole.numel()};
}

/// Whether the kernels can run a layer on a tensor: in evaluation, all in float on the CPU.
template <class Layer>
bool can_pack(const Layer& layer, const tensor& x) {
  const auto plain = [](const tensor& y) { return y.scalar_type() == at::kFloat && y.device().is_cpu(); };
  if (layer.is_training() || !plain(x)) return false;
  const auto parameters = layer.parameters();
  return std::all_of(parameters.begin(), parameters.end(), plain);
}

}  // namespace fmsb::models::detail
