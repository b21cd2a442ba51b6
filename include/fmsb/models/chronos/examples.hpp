#pragma once
#include "fmsb/models/chronos/tokenizer.hpp"  // tokenizer
#include "fmsb/models/chronos/windows.hpp"    // windows

#include <array>    // std::array
#include <cstdint>  // std::uint64_t
#include <limits>   // std::numeric_limits
#include <span>     // std::span
#include <string>   // std::to_string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::chronos {

/// What a model is trained on in one step. All batches of a sampler have the same shape.
struct example_batch {
  tensor ids{};     ///< [batch, context + end] int64
  tensor mask{};    ///< [batch, context + end] bool
  tensor labels{};  ///< [batch, horizon + end] int64; -100 where nothing is to be learned
};

struct example_options {
  index_t batch = 32;
  double blanked =
      0;  ///< values of a window turn into gaps with a probability drawn anew for it, from 0 to this
  std::uint64_t seed = 0;
};

/// Training examples from windows that are drawn with replacement. Batch number n depends on the seed and n
/// alone, so that the state is these two numbers, and a resumed run goes on with the batches that the first
/// would have seen.
///
/// `blanked` is the augmentation "drop_prob" of Chronos' training script, which sets it to 0.2.
class example_sampler {
 public:
  using state_type = std::array<std::uint64_t, 2>;

  /// @throws usage_error for options that mean nothing
  example_sampler(tokenizer tokens, windows from, const example_options& o = {})
      : tokens_(std::move(tokens)), from_(std::move(from)), options_(o) {
    if (o.batch < 1)
      throw usage_error("fmsb::chronos::example_sampler: a batch of " + std::to_string(o.batch) +
                        " examples is none; give 1 at least.");
    if (!(o.blanked >= 0 && o.blanked < 1))
      throw usage_error("fmsb::chronos::example_sampler: blanked is " + number_text(o.blanked) +
                        "; it is a probability, from 0 to below 1.");
    if (from_.options().context > tokens_.configuration().context_length)
      throw usage_error("fmsb::chronos::example_sampler: windows with contexts of " +
                        std::to_string(from_.options().context) + " values do not fit a model that reads " +
                        std::to_string(tokens_.configuration().context_length) + "; shorten the contexts.");
  }

  example_batch next() {
    random_bits bits(options_.seed, drawn_++);
    std::vector<std::span<const double>> pasts, futures;
    std::vector<std::vector<double>> kept;  // rows that differ from the series by what was blanked
    for (index_t i = 0; i < options_.batch; ++i) {
      const window w = from_.draw(bits);
      pasts.push_back(from_.past(w));
      futures.push_back(from_.future(w));
      if (options_.blanked > 0) blank(bits, pasts.back(), futures.back(), kept);
    }
    const auto context = tokens_.encode(pasts, from_.options().context);
    return {context.ids, context.mask, tokens_.encode_labels(futures, context.scale).labels};
  }

  /// Seed and number of batches drawn.
  state_type state() const { return {options_.seed, drawn_}; }

  /// Goes on where `state` was taken. @throws usage_error for the state of another seed
  void restore(const state_type& state) {
    if (state[0] != options_.seed)
      throw usage_error("fmsb::chronos::example_sampler: the state is that of seed " +
                        std::to_string(state[0]) + ", this sampler's seed is " +
                        std::to_string(options_.seed) + ".");
    drawn_ = state[1];
  }

  const windows& from() const { return from_; }
  const example_options& options() const { return options_; }

 private:
  void blank(random_bits& bits, std::span<const double>& past, std::span<const double>& future,
             std::vector<std::vector<double>>& kept) const {
    const double probability = options_.blanked * unit_interval(bits);
    for (auto* values : {&past, &future}) {
      kept.emplace_back(values->begin(), values->end());  // a vector that moves keeps its numbers in place
      for (double& x : kept.back())
        if (unit_interval(bits) < probability) x = std::numeric_limits<double>::quiet_NaN();
      *values = kept.back();
    }
  }

  tokenizer tokens_;
  windows from_;
  example_options options_;
  std::uint64_t drawn_ = 0;
};

}  // namespace fmsb::chronos
