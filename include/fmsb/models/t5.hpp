#pragma once
#include "fmsb/adapt/plan.hpp"             // none
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/models/drawn_whole.hpp"     // drawn_whole
#include "fmsb/models/t5/config.hpp"       // t5_config, chronos_t5_tiny
#include "fmsb/models/t5/decoding.hpp"     // t5_decoding
#include "fmsb/models/t5/hidden_keys.hpp"  // hidden_keys
#include "fmsb/models/t5/stack.hpp"        // t5_stack
#include "fmsb/nn/embedding.hpp"           // embedding
#include "fmsb/nn/initialise.hpp"          // draw_weight

#include <ATen/ops/cross_entropy_loss.h>  // at::cross_entropy_loss
#include <ATen/ops/full.h>                // at::full

#include <cmath>   // std::sqrt
#include <string>  // std::string, std::to_string

namespace fmsb::models {

namespace detail {

template <t5_config C, class Plan>
using t5_parts = nn::composite<
    typename Plan::template child<"shared", nn::embedding<C.vocabulary, C.width>>,
    nn::child<"encoder", t5_stack<C, typename Plan::template under<"encoder">, t5_side::encoder>>,
    nn::child<"decoder", t5_stack<C, typename Plan::template under<"decoder">, t5_side::decoder>>>;

}  // namespace detail

/// Stands in labels where no token counts.
inline constexpr index_t ignored_label = -100;

/// T5 (Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer",
/// JMLR 21, 2020) as Chronos uses it: an encoder and a decoder with RMS norms in front of every step, no
/// biases, an ungated ReLU layer, unscaled scores with a bias by relative position that a stack's layers
/// share, and one table of tokens for the encoder, the decoder and, times 1 / sqrt(width), the logits.
///
/// Children and state dict have the names of Hugging Face's T5ForConditionalGeneration: `shared`, `encoder`,
/// `decoder`. The table is registered once, as `shared.weight`; other names that a file may hold it under are
/// read by `load_t5` (t5/config_file.hpp).
///
/// `reset()` draws Hugging Face's starting values with the configuration's `initializer_factor`.
///
/// @tparam C     sizes and choices; `chronos_t5_tiny` and its siblings
/// @tparam Plan  which adapters stand where (adapt/plan.hpp)
template <t5_config C, class Plan = adapt::none>
class t5 : public drawn_whole<detail::t5_parts<C, Plan>, Plan> {
  static_assert(
      detail::sound(C),
      "fmsb::models::t5 requires sizes of at least 1, at least 4 buckets and a max_distance beyond "
      "half of them, a dropout from 0 up to 1, and tokens of the vocabulary for pad and decoder_start");

 public:
  using plan = Plan;
  using plain = t5<C, typename Plan::merged>;
  static constexpr t5_config config = C;

  /// @param ids   [batch, T], int64 or int32
  /// @param mask  [batch, T], bool or integers: whether a token is seen; undefined: all are
  /// @return [batch, T, width]
  /// @throws usage_error for shapes that do not fit
  tensor encode(const tensor& ids, const tensor& mask = {}) const {
    require_batch(ids, "ids");
    if (mask.defined() && mask.sizes() != ids.sizes())
      throw usage_error("fmsb::models::t5::encode was given ids of shape " + nn::detail::shape_text(ids) +
                        " and a mask of shape " + nn::detail::shape_text(mask) +
                        "; give one of the same shape.");
    const auto& encoder = this->template at<"encoder">();
    const auto x = this->template at<"shared">().forward(ids);
    return encoder.run_hiding(x, detail::hidden_keys(mask, x));
  }

  /// With the right tokens given: position u sees decoder_ids 0 .. u.
  /// @param decoder_ids  [batch, U]; the first is `decoder_start`
  /// @param encoded      [batch, T, width]
  /// @param mask         [batch, T] of the encoded tokens, as in `encode`
  /// @return logits [batch, U, vocabulary]
  tensor decode(const tensor& decoder_ids, const tensor& encoded, const tensor& mask = {}) const {
    require_batch(decoder_ids, "decoder_ids");
    require_encoded(encoded, mask);
    const auto& decoder = this->template at<"decoder">();
    const auto x = this->template at<"shared">().forward(decoder_ids);
    const t5_block_inputs inputs{.bias = decoder.position_bias(decoder_ids.size(1)),
                                 .encoded = encoded,
                                 .hidden = detail::hidden_keys(mask, encoded)};
    return logits(decoder.run(x, [&](index_t) { return inputs; }));
  }

  /// `decode(decoder_ids, encode(ids, mask), mask)`.
  tensor forward(const tensor& ids, const tensor& mask, const tensor& decoder_ids) const {
    return decode(decoder_ids, encode(ids, mask), mask);
  }

  /// What the decoder is given to predict labels: they, one position later, behind `decoder_start`; `pad`
  /// where a label is ignored.
  /// @param labels  [batch, U], `ignored_label` where no token counts
  static tensor decoder_ids_of(const tensor& labels) {
    const auto start = at::full({labels.size(0), 1}, C.decoder_start, labels.options());
    const auto before = labels.narrow(1, 0, labels.size(1) - 1);
    return at::cat({start, before.masked_fill(before == ignored_label, C.pad)}, 1);
  }

  /// Mean cross-entropy of the labels that count.
  /// @param labels  [batch, U], int64
  tensor loss(const tensor& ids, const tensor& mask, const tensor& labels) const {
    require_batch(labels, "labels");
    const auto y = forward(ids, mask, decoder_ids_of(labels));
    return at::cross_entropy_loss(y.view({-1, C.vocabulary}), labels.reshape({-1}), {}, at::Reduction::Mean,
                                  ignored_label);
  }

  /// Begins to decode token by token, `samples` sequences for each series; see t5_decoding.
  /// @param encoded  [series, T, width]
  /// @param mask     [series, T]
  t5_decoding<t5> start(const tensor& encoded, const tensor& mask, index_t samples = 1) const {
    require_encoded(encoded, mask);
    if (samples < 1)
      throw usage_error("fmsb::models::t5::start was asked for " + std::to_string(samples) +
                        " samples of each series; ask for at least 1.");
    return {*this, encoded, detail::hidden_keys(mask, encoded), samples};
  }

  /// @param x  [..., width], from the decoder
  /// @return [..., vocabulary]
  tensor logits(const tensor& x) const {
    return at::linear(x * (1 / std::sqrt(static_cast<double>(C.width))),
                      this->template at<"shared">().effective_weight());
  }

 protected:
  void draw() override {
    nn::draw_weight(this->template at<"shared">(), C.initializer_factor);
    this->template at<"encoder">().draw();
    this->template at<"decoder">().draw();
  }

  std::string title() const override {
    return "t5(max_distance=" + std::to_string(C.max_distance) + ", pad=" + std::to_string(C.pad) +
           ", decoder_start=" + std::to_string(C.decoder_start) + ")";
  }

 private:
  static void require_batch(const tensor& ids, const char* what) {
    if (ids.dim() != 2 || ids.size(1) < 1)
      throw usage_error("fmsb::models::t5 was given " + std::string(what) + " of shape " +
                        nn::detail::shape_text(ids) + "; it takes [batch, tokens], at least one token.");
  }

  static void require_encoded(const tensor& encoded, const tensor& mask) {
    if (encoded.dim() != 3 || encoded.size(2) != C.width ||
        (mask.defined() && mask.sizes() != encoded.sizes().slice(0, 2)))
      throw usage_error("fmsb::models::t5 was given encoded tokens of shape " +
                        nn::detail::shape_text(encoded) +
                        (mask.defined() ? " and a mask of shape " + nn::detail::shape_text(mask) : "") +
                        "; it takes [batch, tokens, " + std::to_string(C.width) +
                        "] as encode() returns them, and the mask that encode() was given.");
  }
};

}  // namespace fmsb::models
