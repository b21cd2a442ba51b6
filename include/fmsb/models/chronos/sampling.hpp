#pragma once
#include "fmsb/models/chronos/token_choice.hpp"  // token_choice, sampling_options
#include "fmsb/nn/parallel_for.hpp"              // parallel_for
#include "fmsb/nn/tensor.hpp"                    // tensor

#include <cstdint>  // std::uint64_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::chronos {

/// Draws the next token of many sample paths at once.
///
/// A draw depends on the logits of its own row, the seed, and the numbers of its series, sample and step: not
/// on the batch in which it is made, nor on the number of threads.
///
/// Order of what is done to a row, as in the generation loop of Python's transformers: banned tokens,
/// temperature, top_k, top_p.
class token_sampler {
 public:
  /// @param banned  tokens that are never drawn; a forecast bans the end of the sequence
  /// @throws usage_error as sampling_options::check
  token_sampler(const sampling_options& o, std::uint64_t seed, std::vector<index_t> banned = {})
      : options_(o), seed_(seed), banned_(std::move(banned)) {
    o.check();
  }

  /// One token a row.
  ///
  /// @param logits        [series, samples, vocabulary], of any floating type, on any device
  /// @param first_series  number of the first of these series within the whole task
  /// @param step          number of the step within the whole forecast
  /// @return [series, samples] int64 on the CPU
  /// @throws usage_error for another shape; data_error for logits that are no numbers
  tensor draw(const tensor& logits, index_t first_series, index_t step) const {
    if (!logits.defined() || logits.dim() != 3 || logits.size(2) == 0)
      throw usage_error("fmsb::chronos::token_sampler: logits are a tensor [series, samples, vocabulary].");
    const auto rows = logits.to(at::kCPU, at::kFloat).contiguous();
    const index_t samples = rows.size(1), count = rows.size(0) * samples, vocabulary = rows.size(2);
    auto tokens = at::empty({rows.size(0), samples}, at::TensorOptions().dtype(at::kLong));
    const auto* const from = rows.const_data_ptr<float>();
    auto* const into = tokens.mutable_data_ptr<std::int64_t>();
    nn::parallel_for(count, kRowsAThread, [&](index_t first, index_t last) {
      token_choice choice;
      for (index_t row = first; row < last; ++row) {
        choice.look_at({from + row * vocabulary, static_cast<std::size_t>(vocabulary)}, options_, banned_);
        auto bits = bits_of(seed_, static_cast<std::uint64_t>(first_series + row / samples),
                            static_cast<std::uint64_t>(row % samples), static_cast<std::uint64_t>(step));
        into[row] = choice.at(unit_interval(bits));
      }
    });
    return tokens;
  }

 private:
  static constexpr index_t kRowsAThread = 8;  // some 50 us of work, against some 5 us to wake a thread

  sampling_options options_;
  std::uint64_t seed_;
  std::vector<index_t> banned_;
};

}  // namespace fmsb::chronos
