#pragma once
#include "fmsb/models/t5/config.hpp"         // t5_config
#include "fmsb/models/t5/position_bias.hpp"  // t5_side
#include "fmsb/nn/attention.hpp"             // multi_head_attention, key_value_cache
#include "fmsb/nn/composite.hpp"             // child, composite
#include "fmsb/nn/dropped.hpp"               // dropped
#include "fmsb/nn/embedding.hpp"             // embedding
#include "fmsb/nn/initialise.hpp"            // draw_weight
#include "fmsb/nn/linear.hpp"                // linear
#include "fmsb/nn/rms_norm.hpp"              // rms_norm

#include <cmath>        // std::sqrt
#include <string>       // std::string
#include <type_traits>  // std::conditional_t

/// The parts of a T5 block, under the names of Hugging Face's modeling_t5.py.
namespace fmsb::models {

namespace detail {

template <t5_config C>
using t5_norm = nn::rms_norm<C.width, nn::rms_norm_options{.eps = C.epsilon}>;

template <t5_config C, class Plan, class... Further>
using t5_attention = nn::multi_head_attention<nn::attention_config{.width = C.width,
                                                                   .inner = C.inner(),
                                                                   .heads = C.heads,
                                                                   .scaled = false,
                                                                   .bias = nn::bias_term::no,
                                                                   .dropout = C.dropout},
                                              Plan, nn::no_rotation, Further...>;

/// The self-attention of the first block, which holds the table of position biases for the whole stack.
template <t5_config C, class Plan>
using t5_first_attention =
    t5_attention<C, Plan,
                 typename Plan::template child<"relative_attention_bias", nn::embedding<C.buckets, C.heads>>>;

template <t5_config C>
tensor t5_dropout(const tensor& x, bool training) {
  if constexpr (C.dropout > 0)
    if (training) return nn::dropped(x, C.dropout);
  return x;
}

/// Hugging Face's starting values: what q and k give has a product of unit size without scaling.
template <t5_config C, class Attention>
void draw_attention(Attention& attention) {
  const double factor = C.initializer_factor, width = static_cast<double>(C.width);
  nn::draw_weight(attention.template at<"q">(), factor / std::sqrt(width * static_cast<double>(C.key_width)));
  nn::draw_weight(attention.template at<"k">(), factor / std::sqrt(width));
  nn::draw_weight(attention.template at<"v">(), factor / std::sqrt(width));
  nn::draw_weight(attention.template at<"o">(), factor / std::sqrt(static_cast<double>(C.inner())));
}

}  // namespace detail

/// wo(relu(wi(x))), without biases: T5's ungated feed-forward layer.
template <t5_config C, class Plan = nn::unplanned>
class t5_feed_forward
    : public nn::composite<
          typename Plan::template child<"wi", nn::linear<C.width, C.feed_forward, nn::bias_term::no>>,
          typename Plan::template child<"wo", nn::linear<C.feed_forward, C.width, nn::bias_term::no>>> {
 public:
  /// @param x  [..., width]
  /// @return [..., width]
  tensor forward(const tensor& x) const {
    auto y = this->template at<"wi">().forward(x);
    y = at::GradMode::is_enabled() ? y.relu() : y.relu_();
    return this->template at<"wo">().forward(detail::t5_dropout<C>(y, this->is_training()));
  }

  void draw() {
    nn::draw_weight(this->template at<"wi">(),
                    C.initializer_factor / std::sqrt(static_cast<double>(C.width)));
    nn::draw_weight(this->template at<"wo">(),
                    C.initializer_factor / std::sqrt(static_cast<double>(C.feed_forward)));
  }

 protected:
  std::string title() const override { return "t5_feed_forward"; }
};

/// x + dropout(part(norm(x))): a residual step with its norm in front.
template <fixed_string Name, nn::layer_type Part, t5_config C, class Plan>
class t5_residual : public nn::composite<nn::child<Name, Part>,
                                         typename Plan::template child<"layer_norm", detail::t5_norm<C>>> {
 public:
  Part& part() { return this->template at<Name>(); }
  const Part& part() const { return this->template at<Name>(); }

  /// `run` maps the normed tokens [batch, tokens, width] to as many, with the part.
  template <class Run>
  tensor around(const tensor& x, Run&& run) const {
    const auto y = run(part(), this->template at<"layer_norm">().forward(x));
    return x + detail::t5_dropout<C>(y, this->is_training());
  }

  void draw() {
    this->template at<"layer_norm">().weight.fill_(C.initializer_factor);
    if constexpr (requires { part().draw(); })
      part().draw();
    else
      detail::draw_attention<C>(part());
  }

 protected:
  std::string title() const override { return "t5_residual"; }
};

namespace detail {

template <t5_config C, class Plan, bool First>
using t5_self_attention = t5_residual<
    "SelfAttention",
    std::conditional_t<First, t5_first_attention<C, typename Plan::template under<"SelfAttention">>,
                       t5_attention<C, typename Plan::template under<"SelfAttention">>>,
    C, Plan>;
template <t5_config C, class Plan>
using t5_cross_attention =
    t5_residual<"EncDecAttention", t5_attention<C, typename Plan::template under<"EncDecAttention">>, C,
                Plan>;
template <t5_config C, class Plan>
using t5_mapping = t5_residual<"DenseReluDense",
                               t5_feed_forward<C, typename Plan::template under<"DenseReluDense">>, C, Plan>;

}  // namespace detail

/// What a block is given besides its tokens.
struct t5_block_inputs {
  tensor bias = {};     ///< on the scores of self-attention: position bias and mask
  tensor encoded = {};  ///< decoder: [batch, Tk, width]
  tensor hidden = {};   ///< decoder: on the scores of cross-attention, undefined if none is hidden
  nn::key_value_cache* self = nullptr;   ///< decoder, token by token
  nn::key_value_cache* cross = nullptr;  ///< decoder, token by token
};

/// The steps of a block, under "0", "1" and, in the decoder, "2".
template <t5_config C, class Plan, t5_side Side, bool First>
class t5_steps : public nn::composite<
                     nn::child<"0", detail::t5_self_attention<C, typename Plan::template under<"0">, First>>,
                     nn::child<"1", detail::t5_mapping<C, typename Plan::template under<"1">>>> {
 protected:
  std::string title() const override { return "t5_steps"; }
};
template <t5_config C, class Plan, bool First>
class t5_steps<C, Plan, t5_side::decoder, First>
    : public nn::composite<
          nn::child<"0", detail::t5_self_attention<C, typename Plan::template under<"0">, First>>,
          nn::child<"1", detail::t5_cross_attention<C, typename Plan::template under<"1">>>,
          nn::child<"2", detail::t5_mapping<C, typename Plan::template under<"2">>>> {
 protected:
  std::string title() const override { return "t5_steps"; }
};

/// A block of a T5: self-attention, in the decoder cross-attention, and the feed-forward layer.
///
/// @tparam First  holds the table of position biases
template <t5_config C, class Plan, t5_side Side, bool First>
class t5_block : public nn::composite<
                     nn::child<"layer", t5_steps<C, typename Plan::template under<"layer">, Side, First>>> {
  static constexpr bool decodes = Side == t5_side::decoder;
  static constexpr fixed_string mapping = decodes ? fixed_string("2") : fixed_string("1");

 public:
  /// @param x  [rows, tokens, width]; in the decoder the rows of one encoded series stand together, and
  ///           there may be several: they attend to its keys as queries of one sequence
  /// @return the same shape
  tensor run(const tensor& x, const t5_block_inputs& inputs) const {
    const auto& steps = this->template at<"layer">();
    auto y = steps.template at<"0">().around(x, [&](const auto& attention, const tensor& normed) {
      return attention.attend(normed, {.bias = inputs.bias, .cache = inputs.self});
    });
    if constexpr (decodes)
      y = steps.template at<"1">().around(y, [&](const auto& attention, const tensor& normed) {
        return attention
            .attend(normed.reshape({inputs.encoded.size(0), -1, C.width}),
                    {.context = inputs.encoded, .bias = inputs.hidden, .cache = inputs.cross})
            .view(normed.sizes());
      });
    return steps.template at<mapping>().around(
        y, [](const auto& maps, const tensor& normed) { return maps.forward(normed); });
  }

  /// The table of the first block.
  const auto& table() const requires First {
    return this->template at<"layer">().template at<"0">().part().template at<"relative_attention_bias">();
  }

  void draw() {
    auto& steps = this->template at<"layer">();
    steps.template at<"0">().draw();
    steps.template at<"1">().draw();
    if constexpr (decodes) steps.template at<mapping>().draw();
    if constexpr (First)
      nn::draw_weight(steps.template at<"0">().part().template at<"relative_attention_bias">(),
                      C.initializer_factor / std::sqrt(static_cast<double>(C.width)));
  }

 protected:
  std::string title() const override { return "t5_block"; }
};

}  // namespace fmsb::models
