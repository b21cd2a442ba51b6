#pragma once
#include "fmsb/core/error.hpp"        // data_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/core/random_bits.hpp"  // random_bits, unit_interval

#include <algorithm>   // std::nth_element, std::sort
#include <bit>         // std::bit_ceil
#include <cmath>       // std::exp
#include <cstddef>     // std::size_t
#include <cstdint>     // std::int32_t, std::uint64_t
#include <functional>  // std::greater
#include <limits>      // std::numeric_limits
#include <numeric>     // std::iota
#include <span>        // std::span
#include <string>      // std::to_string
#include <vector>      // std::vector

namespace fmsb::chronos {

/// How the next token is drawn from a model's logits.
struct sampling_options {
  double temperature = 1;  ///< logits are divided by it: below 1 the likelier tokens gain, above 1 the others
  index_t top_k = 50;      ///< only the k likeliest tokens stay, and those equal to the last of them; 0: all
  double top_p = 1;  ///< of these, the smallest set of the likeliest whose probabilities sum to p at least

  /// @throws usage_error for a value that means nothing
  void check() const {
    if (!(temperature > 0) || temperature == std::numeric_limits<double>::infinity())
      throw usage_error("fmsb::chronos: the temperature " + number_text(temperature) +
                        " is not above 0 and finite; for the likeliest token throughout, use top_k = 1.");
    if (top_k < 0)
      throw usage_error("fmsb::chronos: top_k is " + std::to_string(top_k) +
                        "; it is the number of tokens that may be drawn, or 0 for all.");
    if (!(top_p >= 0 && top_p <= 1))
      throw usage_error("fmsb::chronos: top_p is " + number_text(top_p) +
                        "; it is a probability, from 0 to 1.");
  }
};

/// The tokens that may be drawn from one row of logits, and their weights. One object serves many rows: its
/// memory is kept, so that a row costs none.
///
/// The k-th largest logit is found without sorting. Token j belongs to group j mod G; at least k of the
/// groups' maxima are not below the k-th largest maximum, which therefore is a lower bound of the k-th
/// largest logit. Only groups that reach it are looked at again. Neighbouring bins have like logits and fall
/// into different groups, so for smooth rows little more than k candidates remain. The order of the groups
/// never shows in the answer.
class token_choice {
 public:
  /// Looks at a row. Banned tokens are as unlikely as can be.
  ///
  /// @param logits  [vocabulary] float; minus infinity bars a token
  /// @throws data_error for a NaN or an infinite logit, or where every token is barred
  void look_at(std::span<const float> logits, const sampling_options& o, std::span<const index_t> banned) {
    row_.assign(logits.begin(), logits.end());
    int broken = 0;  // without a branch, so that the compiler takes many at a time
    for (const float x : row_) broken |= static_cast<int>(!(x <= std::numeric_limits<float>::max()));
    if (broken != 0) throw data_error("fmsb::chronos: the model gave a logit that is no finite number.");
    for (const index_t token : banned)
      if (token >= 0 && static_cast<std::size_t>(token) < row_.size())
        row_[static_cast<std::size_t>(token)] = kBarred;
    keep_likeliest(o.top_k == 0 ? row_.size() : std::min(static_cast<std::size_t>(o.top_k), row_.size()));
    weigh(o.temperature);
    if (o.top_p < 1) keep_mass(o.top_p);
  }

  /// The tokens that are kept, rising.
  std::span<const std::int32_t> tokens() const { return tokens_; }
  /// Their probabilities but for a common factor; 0 for what top_p left out.
  std::span<const double> weights() const { return weights_; }

  /// The token at a point between 0 and 1 of the kept tokens' distribution function.
  index_t at(double u) const {
    double sum = 0;
    for (const double w : weights_) sum += w;
    const double wanted = u * sum;
    std::size_t last = 0;
    double reached = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (weights_[i] == 0) continue;
      last = i;  // where rounding leaves `reached` below `wanted`
      reached += weights_[i];
      if (reached > wanted) break;
    }
    return tokens_[last];
  }

 private:
  static constexpr float kBarred = -std::numeric_limits<float>::infinity();

  void keep_likeliest(std::size_t k) {
    const std::size_t size = row_.size(), groups = std::bit_ceil(std::max<std::size_t>(4 * k, 64));
    tokens_.clear();
    if (2 * groups > size) {
      tokens_.resize(size);
      std::iota(tokens_.begin(), tokens_.end(), 0);
    } else {
      find_candidates(k, groups);
    }
    if (tokens_.size() <= k) return;
    values_.clear();
    for (const auto token : tokens_) values_.push_back(row_[static_cast<std::size_t>(token)]);
    const float least = largest(values_, k);
    std::erase_if(tokens_, [&](std::int32_t token) { return row_[static_cast<std::size_t>(token)] < least; });
  }

  void find_candidates(std::size_t k, std::size_t groups) {
    const std::size_t size = row_.size();
    maxima_.assign(row_.begin(), row_.begin() + static_cast<std::ptrdiff_t>(groups));
    for (std::size_t first = groups; first < size; first += groups) {
      const std::size_t count = std::min(groups, size - first);
      const float* const from = row_.data() + first;
      float* const into = maxima_.data();
      for (std::size_t j = 0; j < count; ++j) into[j] = from[j] > into[j] ? from[j] : into[j];
    }
    values_ = maxima_;
    const float bound = largest(values_, k);
    for (std::size_t j = 0; j < groups; ++j) {
      if (maxima_[j] < bound) continue;
      for (std::size_t token = j; token < size; token += groups)
        if (row_[token] >= bound) tokens_.push_back(static_cast<std::int32_t>(token));
    }
    std::sort(tokens_.begin(), tokens_.end());
  }

  /// The k-th largest value; reorders them.
  static float largest(std::vector<float>& values, std::size_t k) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(k) - 1;
    std::nth_element(values.begin(), place, values.end(), std::greater<>());
    return *place;
  }

  void weigh(double temperature) {
    float most = kBarred;
    for (const auto token : tokens_) most = std::max(most, row_[static_cast<std::size_t>(token)]);
    if (most == kBarred) throw data_error("fmsb::chronos: every token is barred; there is none to draw.");
    weights_.clear();
    for (const auto token : tokens_)
      weights_.push_back(
          std::exp((static_cast<double>(row_[static_cast<std::size_t>(token)]) - static_cast<double>(most)) /
                   temperature));
  }

  /// From the least likely up, tokens are left out as long as what is left out sums to 1 - p at most; of
  /// equal ones the lower id first. The likeliest always stays.
  void keep_mass(double p) {
    double all = 0;
    for (const double w : weights_) all += w;
    order_.resize(weights_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return weights_[a] < weights_[b] || (weights_[a] == weights_[b] && a < b);
    });
    double left_out = 0;
    for (std::size_t i = 0; i + 1 < order_.size(); ++i) {
      left_out += weights_[order_[i]];
      if (left_out > (1 - p) * all) break;
      weights_[order_[i]] = 0;
    }
  }

  std::vector<float> row_, maxima_, values_;
  std::vector<std::int32_t> tokens_;
  std::vector<double> weights_;
  std::vector<std::size_t> order_;
};

/// The stream of random bits of one step of one sample path of one series: whatever else is drawn, and by
/// however many threads, its number is the same.
inline random_bits bits_of(std::uint64_t seed, std::uint64_t series, std::uint64_t sample,
                           std::uint64_t step) {
  return random_bits(random_bits(random_bits(seed, series)(), sample)(), step);
}

}  // namespace fmsb::chronos
