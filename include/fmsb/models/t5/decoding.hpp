#pragma once
#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/models/t5/block.hpp"  // t5_block_inputs
#include "fmsb/nn/attention.hpp"     // key_value_cache
#include "fmsb/nn/layer.hpp"         // shape_text

#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <string>     // std::to_string
#include <utility>    // std::move

namespace fmsb::models {

/// A run of a T5's decoder, token by token, for several samples of each encoded series. Keys and values of
/// the encoded tokens are computed once a series, on the first step, and read by all its samples as queries
/// of one sequence, never copied; those of the samples' own tokens are kept. No gradient is recorded.
///
/// Made by `t5::start`. The model must outlive it and must not change meanwhile. A copy goes its own way from
/// there: one prefix, several continuations.
///
/// @tparam Model  a t5
template <class Model>
class t5_decoding {
 public:
  t5_decoding(const Model& model, tensor encoded, tensor hidden, index_t samples)
      : model_(&model), encoded_(std::move(encoded)), hidden_(std::move(hidden)), samples_(samples) {}

  /// Steps done, the length of every sequence.
  index_t length() const { return length_; }
  index_t series() const { return encoded_.size(0); }
  index_t samples() const { return samples_; }

  /// Appends one token to each sequence; the first is the model's `decoder_start`.
  /// @param tokens  [series, samples], int64 or int32
  /// @return [series, samples, vocabulary]: logits of the tokens that follow
  /// @throws usage_error for another shape
  tensor step(const tensor& tokens) {
    const at::NoGradGuard no_gradient;
    if (tokens.dim() != 2 || tokens.size(0) != series() || tokens.size(1) != samples_)
      throw usage_error("fmsb::models::t5_decoding was given tokens of shape " +
                        nn::detail::shape_text(tokens) + "; it decodes " + std::to_string(samples_) +
                        " samples of " + std::to_string(series()) + " series: give [" +
                        std::to_string(series()) + ", " + std::to_string(samples_) + "].");
    const auto& decoder = model_->template at<"decoder">();
    const auto embedded = model_->template at<"shared">().forward(tokens.reshape({-1, 1}));
    t5_block_inputs inputs{.bias = bias(), .encoded = encoded_, .hidden = hidden_};
    const auto y = decoder.run(embedded, [&](index_t position) {
      inputs.self = &self_[static_cast<std::size_t>(position)];
      inputs.cross = &cross_[static_cast<std::size_t>(position)];
      return inputs;
    });
    ++length_;
    return model_->logits(y).view({series(), samples_, -1});
  }

 private:
  static constexpr std::size_t layers = static_cast<std::size_t>(Model::config.decoder_layers);

  /// The bias of the next token on itself and those before, a view of one that is kept.
  tensor bias() {
    if (!bias_.defined() || bias_.size(3) <= length_)
      bias_ = model_->template at<"decoder">().last_bias(std::max<index_t>(64, 2 * length_));
    return bias_.narrow(3, bias_.size(3) - length_ - 1, length_ + 1);
  }

  const Model* model_;
  tensor encoded_, hidden_;
  index_t samples_, length_ = 0;
  std::array<nn::key_value_cache, layers> self_, cross_;
  tensor bias_;
};

}  // namespace fmsb::models
