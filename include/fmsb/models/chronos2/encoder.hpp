#pragma once
#include "fmsb/models/chronos2/groups.hpp"  // series_groups
#include "fmsb/models/t5/block.hpp"         // t5_attention, t5_residual, t5_feed_forward, t5_norm
#include "fmsb/models/t5/config.hpp"        // t5_config
#include "fmsb/nn/attention.hpp"            // multi_head_attention
#include "fmsb/nn/repeat.hpp"               // repeat
#include "fmsb/nn/rotary.hpp"               // rotary

#include <string>  // std::string

/// The parts of Chronos-2's encoder, under the names of chronos-forecasting's chronos2/layers.py.
namespace fmsb::models {

namespace detail {

/// T5's attention, without its position bias: rotated where it runs along time, plain across series.
template <t5_config C>
inline constexpr nn::attention_config chronos2_attention = {.width = C.width,
                                                            .inner = C.inner(),
                                                            .heads = C.heads,
                                                            .scaled = false,
                                                            .bias = nn::bias_term::no,
                                                            .dropout = C.dropout};

template <t5_config C, class Plan, class Rotation>
using chronos2_self_attention =
    t5_residual<"self_attention",
                nn::multi_head_attention<chronos2_attention<C>,
                                         typename Plan::template under<"self_attention">, Rotation>,
                C, Plan>;

template <t5_config C, class Plan>
using chronos2_mapping =
    t5_residual<"mlp", t5_feed_forward<C, typename Plan::template under<"mlp">>, C, Plan>;

}  // namespace detail

/// The steps of a block: attention along time,  attention across the series of a group, feed-forward layer.
template <t5_config C, double RotaryBase, class Plan>
class chronos2_steps
    : public nn::composite<
          nn::child<"0", detail::chronos2_self_attention<C, typename Plan::template under<"0">,
                                                         nn::rotary<RotaryBase>>>,
          nn::child<"1",
                    detail::chronos2_self_attention<C, typename Plan::template under<"1">, nn::no_rotation>>,
          nn::child<"2", detail::chronos2_mapping<C, typename Plan::template under<"2">>>> {
 protected:
  std::string title() const override { return "chronos2_steps"; }
};

template <t5_config C, double RotaryBase, class Plan>
class chronos2_block
    : public nn::composite<
          nn::child<"layer", chronos2_steps<C, RotaryBase, typename Plan::template under<"layer">>>> {
 public:
  /// @param x       [batch, tokens, width]
  /// @param hidden  added to the scores along time; undefined if all tokens are seen
  /// @return the same shape
  tensor run(const tensor& x, const tensor& hidden, const series_groups& groups) const {
    const auto& steps = this->template at<"layer">();
    const auto along_time =
        steps.template at<"0">().around(x, [&](const auto& attention, const tensor& normed) {
          return attention.attend(normed, {.bias = hidden});
        });
    const auto across_series = steps.template at<"1">().around(
        along_time,
        [&](const auto& attention, const tensor& normed) { return groups.attend(attention, normed); });
    return steps.template at<"2">().around(
        across_series, [](const auto& maps, const tensor& normed) { return maps.forward(normed); });
  }

  void draw() {
    auto& steps = this->template at<"layer">();
    steps.template at<"0">().draw();
    steps.template at<"1">().draw();
    steps.template at<"2">().draw();
  }

 protected:
  std::string title() const override { return "chronos2_block"; }
};

/// All blocks and a last norm.
template <t5_config C, double RotaryBase, class Plan>
class chronos2_encoder
    : public nn::composite<
          nn::child<"block",
                    nn::repeat<C.encoder_layers,
                               chronos2_block<C, RotaryBase,
                                              typename Plan::template under<"block">::template under<"*">>>>,
          typename Plan::template child<"final_layer_norm", detail::t5_norm<C>>> {
 public:
  /// @param x     [batch, tokens, width], embedded
  /// @param seen  [batch, tokens] bool: whether a token may be looked at
  /// @param ids   [batch] integers, the group of each series; undefined: each is by itself
  /// @return [batch, tokens, width], normed; of tokens that are not seen without a meaning
  tensor run(const tensor& x, const tensor& seen, const tensor& ids) const {
    const series_groups groups(ids, seen, x);
    const auto hidden = detail::hidden_keys(seen, x);
    auto y = dropped(x);
    this->template at<"block">().for_each([&](const auto& block) { y = block.run(y, hidden, groups); });
    return dropped(this->template at<"final_layer_norm">().forward(y));
  }

  void draw() {
    this->template at<"block">().for_each([](auto& block) { block.draw(); });
    this->template at<"final_layer_norm">().weight.fill_(C.initializer_factor);
  }

 protected:
  std::string title() const override { return "chronos2_encoder"; }

 private:
  tensor dropped(const tensor& x) const { return detail::t5_dropout<C>(x, this->is_training()); }
};

}  // namespace fmsb::models
