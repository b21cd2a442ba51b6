#pragma once
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/models/chronos/config.hpp"  // config

#include <algorithm>  // std::clamp
#include <cmath>      // std::fma
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <vector>     // std::vector

namespace fmsb::chronos {

/// The equal bins of scaled values, as MeanScaleUniformBins of the Python package has them: float32 centres
/// from the low to the high limit, edges halfway between, and +-1e20 beyond the outermost. A bin holds its
/// lower edge.
///
/// The centres are low + i step in the lower half and high - (n - 1 - i) step in the upper, each rounded
/// once: LibTorch's linspace on processors with fused multiply-add, but the same numbers on every machine.
class uniform_bins {
 public:
  /// @throws usage_error as config::check
  explicit uniform_bins(const config& c) : special_(c.special_tokens), tokens_(c.tokens) {
    c.check();
    const auto n = static_cast<std::size_t>(c.bins());
    const auto low = static_cast<float>(c.low_limit), high = static_cast<float>(c.high_limit);
    const float step = (high - low) / static_cast<float>(n - 1);
    centres_.resize(n);
    for (std::size_t i = 0; i < n; ++i)
      centres_[i] = i < n / 2 ? std::fma(step, static_cast<float>(i), low)
                              : std::fma(-step, static_cast<float>(n - 1 - i), high);
    edges_.resize(n + 1);
    edges_.front() = -1e20F;
    for (std::size_t i = 1; i < n; ++i) edges_[i] = (centres_[i] + centres_[i - 1]) / 2;
    edges_.back() = 1e20F;
    first_edge_ = edges_[1];
    per_unit_ = static_cast<double>(n - 1) / (static_cast<double>(high) - static_cast<double>(low));
  }

  /// [bins] in rising order.
  std::span<const float> centres() const { return centres_; }
  /// [bins + 1] in rising order: bin i reaches from edge i up to, and without, edge i + 1.
  std::span<const float> edges() const { return edges_; }

  /// The id of a scaled value: special tokens, plus the number of edges that are not above it, at most the
  /// last id. Where the edges should be is reckoned, and its neighbours looked at: as exact as a search,
  /// without one.
  std::int64_t id(float value) const {
    if (!(value < edges_.back())) return tokens_ - 1;  // NaN, too: it comes of infinity over infinity
    if (value < edges_.front()) return special_;
    const auto most = static_cast<double>(edges_.size() - 1);
    const double reckoned = (static_cast<double>(value) - static_cast<double>(first_edge_)) * per_unit_ + 2;
    auto below = static_cast<std::size_t>(std::clamp(reckoned, 1.0, most));
    while (edges_[below - 1] > value) --below;
    while (edges_[below] <= value) ++below;
    return std::min(static_cast<std::int64_t>(below) + special_, tokens_ - 1);
  }

  /// The scaled value that an id stands for: the centre of its bin; of a special token, the lowest one.
  float value(std::int64_t id) const {
    const auto bin =
        std::clamp<std::int64_t>(id - special_ - 1, 0, static_cast<std::int64_t>(centres_.size()) - 1);
    return centres_[static_cast<std::size_t>(bin)];
  }

 private:
  std::int64_t special_, tokens_;
  std::vector<float> centres_, edges_;
  float first_edge_ = 0;
  double per_unit_ = 0;
};

}  // namespace fmsb::chronos
