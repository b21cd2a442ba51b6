#pragma once
#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/models/t5/block.hpp"           // t5_block_inputs
#include "fmsb/models/t5/packed_decoder.hpp"  // packed_decoder, packed_past, packed_step
#include "fmsb/nn/attention.hpp"              // key_value_cache
#include "fmsb/nn/layer.hpp"                  // shape_text
#include "fmsb/nn/parallel_for.hpp"           // parallel_for

#include <algorithm>  // std::max, std::min
#include <array>      // std::array
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <memory>     // std::shared_ptr
#include <optional>   // std::optional
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::models {

/// A run of a T5's decoder, token by token, for several samples of each encoded series. Keys and values of
/// the encoded tokens are computed once a series, on the first step, and read by all its samples as queries
/// of one sequence, never copied; those of the samples' own tokens are kept. No gradient is recorded.
///
/// In float on the CPU and with the model in evaluation mode, steps run on kernels of their own
/// (t5/packed_decoder.hpp), which read the weights as they were at the start, adapters folded in; a first
/// step in which the samples of each series have one token is run once a series. Elsewhere steps run on the
/// model's layers. Both give the logits of `decode` to rounding. Sequences are independent of
/// each other and of the number of threads, to the bit with the kernels.
///
/// Made by `t5::start`. The model must outlive it and must not change meanwhile. A copy goes its own way from
/// there: one prefix, several continuations.
///
/// @tparam Model  a t5
template <class Model>
class t5_decoding {
 public:
  t5_decoding(const Model& model, tensor encoded, tensor hidden, index_t samples)
      : model_(&model), encoded_(std::move(encoded)), hidden_(std::move(hidden)), samples_(samples) {
    const at::NoGradGuard no_gradient;
    if (encoded_.numel() > 0 && detail::can_pack(model, encoded_)) pack();
  }

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
    if (packed_) return packed_logits(tokens);
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
  /// Rows that stay in a core's cache with what they go through.
  static constexpr index_t rows_at_once = 120;

  void pack() {
    constexpr auto C = Model::config;
    const auto& decoder = model_->template at<"decoder">();
    const auto table = model_->template at<"shared">().effective_weight().contiguous();
    auto packed = std::make_shared<detail::packed_decoder>();
    packed->sizes = detail::sizes_of<C>();
    packed->blocks = detail::pack_stack<C>(decoder);
    packed->logits = detail::pack(table, {},
                                  detail::gain_of<C>(decoder.template at<"final_layer_norm">()) *
                                      (1 / std::sqrt(static_cast<double>(C.width))));
    packed->table = detail::floats_of(table);
    if (hidden_.defined()) packed->hidden = detail::floats_of(hidden_);
    const auto encoded = encoded_.contiguous();
    packed->remember(encoded.template const_data_ptr<float>(), static_cast<std::size_t>(series()),
                     static_cast<std::size_t>(encoded.size(1)));
    packed_ = std::move(packed);
    past_.emplace(packed_->sizes, layers, static_cast<std::size_t>(series() * samples_));
  }

  tensor packed_logits(const tensor& tokens) {
    const auto ids = tokens.to(at::kCPU, at::kLong).contiguous();
    const auto* const id = ids.template const_data_ptr<std::int64_t>();
    for (index_t i = 0; i < ids.numel(); ++i)
      if (id[i] < 0 || id[i] >= Model::config.vocabulary)
        throw usage_error("fmsb::models::t5_decoding was given the token " + std::to_string(id[i]) +
                          "; the model knows 0 to " + std::to_string(Model::config.vocabulary - 1) + ".");
    past_->reserve();
    const auto out = fresh_logits();
    if (length_ == 0 && samples_ > 1 && (ids == ids.narrow(1, 0, 1)).all().template item<bool>())
      begin_alike(ids.select(1, 0).contiguous(), out);
    else
      run_rows(*past_, samples_, ids, out);
    past_->advance();
    ++length_;
    return out;
  }

  /// The first step where all samples of a series have one token: it is run once a series.
  /// @param ids  [series]
  void begin_alike(const tensor& ids, const tensor& out) {
    detail::packed_past once(packed_->sizes, layers, static_cast<std::size_t>(series()));
    once.reserve(1);
    const auto logits = at::empty({series(), 1, Model::config.vocabulary}, out.options());
    run_rows(once, 1, ids, logits);
    past_->spread(once, static_cast<std::size_t>(samples_));
    out.copy_(logits.expand_as(out));
  }

  /// A step of all sequences of a past, `samples` for each series.
  void run_rows(detail::packed_past& past, index_t samples, const tensor& ids, const tensor& out) {
    const auto now = bias();
    const detail::packed_step step(*packed_, past, static_cast<std::size_t>(samples),
                                   now.template const_data_ptr<float>(),
                                   static_cast<std::size_t>(bias_.size(3)));
    const auto* const id = ids.template const_data_ptr<std::int64_t>();
    auto* const into = out.template mutable_data_ptr<float>();
    const index_t rows = series() * samples;
    const index_t stretch =
        std::min(rows_at_once, (rows + at::get_num_threads() - 1) / at::get_num_threads());
    const index_t stretches = (rows + stretch - 1) / stretch;
    scratch_.resize(std::max(scratch_.size(), static_cast<std::size_t>(stretches)));
    nn::parallel_for(stretches, 1, [&](index_t begin, index_t end) {
      auto& scratch = scratch_[static_cast<std::size_t>(begin)];
      const auto wanted = step.score_floats(static_cast<std::size_t>(stretch));
      if (scratch.capacity() < static_cast<std::size_t>(stretch) || scratch.scores.size() < wanted)
        scratch = detail::packed_rows(packed_->sizes, static_cast<std::size_t>(stretch), 2 * wanted);
      for (index_t i = begin; i < end; ++i)
        step.run(scratch, static_cast<std::size_t>(i * stretch),
                 static_cast<std::size_t>(std::min(stretch, rows - i * stretch)), id, into);
    });
  }

  /// The memory of the last step's logits where nobody else holds it any more.
  tensor fresh_logits() {
    if (!logits_.defined() || logits_.use_count() > 1 || logits_.storage().use_count() > 1)
      logits_ =
          at::empty({series(), samples_, Model::config.vocabulary}, encoded_.options().requires_grad(false));
    return logits_;
  }

  /// The bias of the next token on itself and those before, a view of one that is kept.
  tensor bias() {
    if (!bias_.defined() || bias_.size(3) <= length_)
      bias_ = model_->template at<"decoder">().last_bias(std::max<index_t>(64, 2 * length_)).contiguous();
    return bias_.narrow(3, bias_.size(3) - length_ - 1, length_ + 1);
  }

  const Model* model_;
  tensor encoded_, hidden_;
  index_t samples_, length_ = 0;
  std::array<nn::key_value_cache, layers> self_, cross_;
  tensor bias_, logits_;
  std::shared_ptr<const detail::packed_decoder> packed_;  ///< empty: the model's layers are run
  std::optional<detail::packed_past> past_;
  std::vector<detail::packed_rows> scratch_;  ///< of stretches of rows
};

}  // namespace fmsb::models
