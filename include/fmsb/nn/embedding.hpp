#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // extent, chosen_extent, dynamic, index_t
#include "fmsb/nn/counts.hpp"      // product_of
#include "fmsb/nn/initialise.hpp"  // drawn_normal
#include "fmsb/nn/layer.hpp"       // layer

#include <string>  // std::string

namespace fmsb::nn {

/// For `embedding`: every row of the table is read and trained alike.
inline constexpr index_t no_padding_index = -1;

/// Run-time extents of an embedding. What the type fixes may stay `dynamic` here.
struct embedding_extents {
  index_t count = dynamic;
  index_t features = dynamic;
};

/// y = row `token` of a table, for every token.
///
/// Registers `weight` [count, features], as LibTorch's Embedding does, drawn from N(0, 1).
///
/// @tparam Count, Features  rows of the table and their width, or `dynamic`
/// @tparam PaddingIndex     a token that means nothing: its row starts at zero and gets no gradient
template <index_t Count = dynamic, index_t Features = dynamic, index_t PaddingIndex = no_padding_index>
class embedding : public layer {
  static_assert(PaddingIndex >= no_padding_index && (Count == dynamic || PaddingIndex < Count),
                "fmsb::nn::embedding requires a padding index that is a row of the table");

 public:
  using extents_type = embedding_extents;
  using plain = embedding;                ///< what merging an adapter gives
  static constexpr bool is_table = true;  ///< the input are rows of the weight, not its columns
  static constexpr bool has_bias = false;
  static constexpr index_t in_features = Count, out_features = Features;
  static constexpr index_t padding_index = PaddingIndex;
  static constexpr int spatial_axes = 0;
  static constexpr index_t groups = 1;
  static constexpr index_t weight_count = product_of(Count, Features);
  static constexpr index_t parameter_count = weight_count;
  static constexpr index_t multiply_adds = 0;
  static constexpr index_t receptive_field = 1;

  tensor weight;  ///< [count, features]
  tensor bias;    ///< undefined: an embedding has none

  embedding() requires(Count != dynamic && Features != dynamic) : embedding(embedding_extents{}) {}
  /// @throws usage_error for an extent that neither the type nor the argument fixes, or on which they differ,
  ///         or a padding index beyond the count
  explicit embedding(embedding_extents given)
      : count_(chosen_extent<Count>("nn::embedding", "count", given.count)),
        features_(chosen_extent<Features>("nn::embedding", "features", given.features)) {
    if (PaddingIndex >= count_)
      throw usage_error("fmsb::nn::embedding: the padding index is " + std::to_string(PaddingIndex) +
                        ", but the table has " + std::to_string(index_t{count_}) +
                        " rows. Give a larger count or another index.");
  }

  void reset() override {
    auto table = drawn_normal({count_, features_}, 1);
    if (PaddingIndex != no_padding_index && table.numel() > 0) table.select(0, PaddingIndex).zero_();
    weight = register_parameter("weight", table);
  }

  embedding_extents extents() const { return {.count = count_, .features = features_}; }

  /// The rows of any table [count, width] that the tokens name; the padding token's gets no gradient.
  /// @param tokens  [...], int64 or int32, from 0 up to count
  tensor map(const tensor& tokens, const tensor& table) const {
    return at::embedding(table, tokens, PaddingIndex);
  }
  /// z [..., rank] through a matrix [features, rank]: what follows `map` in a factored table.
  tensor mix(const tensor& z, const tensor& matrix) const { return at::linear(z, matrix); }

  /// The table that `forward` amounts to; adapters add theirs.
  tensor effective_weight() const { return weight; }
  tensor effective_bias() const { return bias; }

  /// @param tokens  [...], int64 or int32, from 0 up to count; LibTorch throws for one that is out of range
  /// @return [..., features]
  /// @throws usage_error for tokens that are not integers
  tensor forward(const tensor& tokens) const {
    if (tokens.scalar_type() != at::kLong && tokens.scalar_type() != at::kInt)
      throw usage_error(describe() + " was given tokens of the type " + c10::toString(tokens.scalar_type()) +
                        "; give int64 or int32.");
    return map(tokens, weight);
  }

  std::string describe() const override {
    return "embedding(count=" + std::to_string(index_t{count_}) +
           ", features=" + std::to_string(index_t{features_}) +
           (PaddingIndex == no_padding_index ? ")" : ", padding_index=" + std::to_string(PaddingIndex) + ")");
  }

 private:
  [[no_unique_address]] extent<Count> count_;
  [[no_unique_address]] extent<Features> features_;
};

}  // namespace fmsb::nn
