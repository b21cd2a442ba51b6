#pragma once
#include "fmsb/models/t5/block.hpp"           // t5_block
#include "fmsb/models/t5/packed_encoder.hpp"  // packed_encoder, can_pack
#include "fmsb/models/t5/position_bias.hpp"   // position_bias, bias_by_distance
#include "fmsb/nn/repeat.hpp"                 // repeat

#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <string>   // std::string

namespace fmsb::models {

/// The encoder or decoder of a T5: its blocks and a last norm. Embeds nothing: the table of tokens is the
/// model's.
template <t5_config C, class Plan, t5_side Side>
class t5_stack
    : public nn::composite<
          nn::child<
              "block",
              nn::repeat<
                  Side == t5_side::decoder ? C.decoder_layers : C.encoder_layers,
                  t5_block<C, typename Plan::template under<"block">::template under<"*">, Side, false>,
                  t5_block<C, typename Plan::template under<"block">::template under<"*">, Side, true>>>,
          typename Plan::template child<"final_layer_norm", detail::t5_norm<C>>> {
 public:
  static constexpr index_t layers = Side == t5_side::decoder ? C.decoder_layers : C.encoder_layers;

  const auto& blocks() const { return this->template at<"block">(); }

  /// @param x          [rows, tokens, width], embedded
  /// @param inputs_of  called with 0, 1, .. layers - 1; returns that block's inputs
  /// @return [rows, tokens, width], normed
  template <class InputsOf>
  tensor run(const tensor& x, InputsOf&& inputs_of) const {
    auto y = detail::t5_dropout<C>(x, this->is_training());
    index_t position = 0;
    blocks().for_each([&](const auto& block) { y = block.run(y, inputs_of(position++)); });
    return detail::t5_dropout<C>(this->template at<"final_layer_norm">().forward(y), this->is_training());
  }

  /// The encoder over whole sequences. Without gradient, in evaluation and in float on the CPU it runs on
  /// kernels of its own (t5/packed_encoder.hpp), elsewhere on its layers, with the same result to rounding.
  /// @param x       [batch, tokens, width], embedded
  /// @param hidden  what `detail::hidden_keys` adds to the scores; undefined if all tokens are seen
  /// @return [batch, tokens, width], normed
  tensor run_hiding(const tensor& x, const tensor& hidden) const requires(Side == t5_side::encoder) {
    if (!at::GradMode::is_enabled() && x.numel() > 0 && detail::can_pack(*this, x))
      return run_packed(x, hidden);
    auto bias = position_bias(x.size(1));
    if (hidden.defined()) bias = bias + hidden;
    return run(x, [&](index_t) { return t5_block_inputs{.bias = bias}; });
  }

  /// The position bias of all its layers for sequences of a length, [1, heads, tokens, tokens]; in the
  /// decoder minus infinity where a key comes after its query.
  tensor position_bias(index_t tokens) const {
    const auto bias = detail::position_bias<C, Side>(blocks().first().table(), tokens);
    if constexpr (Side == t5_side::encoder) return bias;
    const auto later = at::ones({tokens, tokens}, bias.options().dtype(at::kBool)).triu(1);
    return bias.masked_fill(later, -std::numeric_limits<double>::infinity());
  }

  /// The position bias of one query on itself and the `count` - 1 tokens before it, [1, heads, 1, count],
  /// nearest last.
  tensor last_bias(index_t count) const requires(Side == t5_side::decoder) {
    return detail::bias_by_distance<C, Side>(blocks().first().table(), 1 - count, count)
        .unsqueeze(0)
        .unsqueeze(2);
  }

  void draw() {
    auto& all = this->template at<"block">();
    all.for_each([](auto& block) { block.draw(); });
    this->template at<"final_layer_norm">().weight.fill_(C.initializer_factor);
  }

 protected:
  std::string title() const override { return "t5_stack"; }

 private:
  tensor run_packed(const tensor& x, const tensor& hidden) const {
    const index_t tokens = x.size(1);
    const detail::packed_encoder encoder(
        detail::sizes_of<C>(), detail::pack_stack<C>(*this),
        detail::floats_of(detail::gain_of<C>(this->template at<"final_layer_norm">())));
    const auto distance =
        detail::bias_by_distance<C, Side>(blocks().first().table(), 1 - tokens, 2 * tokens - 1);
    const auto hides = hidden.defined() ? hidden.contiguous() : hidden;
    const auto y = x.clone(at::MemoryFormat::Contiguous);
    encoder.run(y.template mutable_data_ptr<float>(), static_cast<std::size_t>(x.size(0)),
                static_cast<std::size_t>(tokens), distance.template const_data_ptr<float>(),
                hides.defined() ? hides.template const_data_ptr<float>() : nullptr);
    return y;
  }
};

}  // namespace fmsb::models
