#pragma once
#include "fmsb/models/t5/config.hpp"  // t5_config
#include "fmsb/nn/torch.hpp"          // tensor, at::empty

#include <algorithm>  // std::min
#include <cmath>      // std::log

namespace fmsb::models {

/// The two halves of a T5. The encoder's tokens see each other, the decoder's only those before them.
enum class t5_side { encoder, decoder };

/// The bucket of a distance (key's position less query's): the nearer ones have one each, farther ones share
/// buckets that widen with the logarithm, and all from `max_distance` on the last (Raffel et al., JMLR 21,
/// 2020, section 2.1). In the encoder each sign has half of the buckets; in the decoder later keys are not
/// seen, and fall into bucket 0. In float32 and in this order of operations, as Hugging Face rounds.
inline index_t t5_bucket(index_t distance, t5_side side, index_t buckets, index_t max_distance) {
  index_t first = 0;
  if (side == t5_side::encoder) {
    buckets /= 2;
    if (distance > 0) first = buckets;
    distance = distance < 0 ? -distance : distance;
  } else {
    distance = distance < 0 ? -distance : 0;
  }
  const index_t exact = buckets / 2;
  if (distance < exact) return first + distance;
  const auto wide =
      static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
  const float part = std::log(static_cast<float>(distance) / static_cast<float>(exact)) / wide *
                     static_cast<float>(buckets - exact);
  return first + std::min(exact + static_cast<index_t>(part), buckets - 1);
}

namespace detail {

/// The rows of T5's table for `count` neighbouring distances from `first` on: [heads, count].
template <t5_config C, t5_side Side, class Table>
tensor bias_by_distance(const Table& table, index_t first, index_t count) {
  auto buckets = at::empty({count}, at::kLong);
  auto* const out = buckets.mutable_data_ptr<index_t>();
  for (index_t i = 0; i < count; ++i) out[i] = t5_bucket(first + i, Side, C.buckets, C.max_distance);
  return table.forward(buckets.to(table.weight.device())).t().contiguous();
}

/// The bias of `tokens` positions on each other, [1, heads, tokens, tokens]. Only 2 tokens - 1 distances
/// differ, so that many rows are looked up, and as many get a gradient; each query's keys are a window over
/// them.
template <t5_config C, t5_side Side, class Table>
tensor position_bias(const Table& table, index_t tokens) {
  const auto by_distance = bias_by_distance<C, Side>(table, 1 - tokens, 2 * tokens - 1);
  return by_distance.unfold(1, tokens, 1).flip(1).unsqueeze(0);  // the first window is the last query's
}

}  // namespace detail
}  // namespace fmsb::models
