#pragma once
#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/core/extent.hpp"   // chosen_extent, index_t
#include "fmsb/nn/composite.hpp"  // child, composite, unplanned
#include "fmsb/nn/dropped.hpp"    // dropped
#include "fmsb/nn/linear.hpp"     // linear, bias_term
#include "fmsb/nn/rotary.hpp"     // no_rotation, rotary

#include <ATen/ops/_safe_softmax.h>  // at::_safe_softmax

#include <algorithm>    // std::max
#include <cmath>        // std::sqrt
#include <concepts>     // std::default_initializable
#include <limits>       // std::numeric_limits
#include <optional>     // std::optional
#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <typeinfo>     // typeid
#include <utility>      // std::swap

namespace fmsb::nn {

/// The sizes and choices of an attention layer.
struct attention_config {
  index_t width = dynamic;    ///< features of a token, in and out, or `dynamic`
  index_t inner = dynamic;    ///< features of all heads together, or `dynamic`; need not be the width
  index_t heads = 1;          ///< a divisor of inner
  index_t context_width = 0;  ///< features of the tokens that are attended to, or `dynamic`; 0: the width
  bool scaled = true;         ///< scores times 1 / sqrt(inner / heads); T5 leaves them as they are
  bias_term bias = bias_term::yes;
  double dropout = 0;  ///< on the attention weights, when training
  friend bool operator==(const attention_config&, const attention_config&) = default;
};

/// The extents that a configuration leaves to the run.
struct attention_extents {
  index_t width = dynamic, inner = dynamic, context_width = 0;
};

/// Keys and values of the tokens that a decoder has seen, kept by the caller from call to call: one object a
/// layer and sequence. Starts empty.
class key_value_cache {
 public:
  key_value_cache() = default;
  /// The same tokens; what either appends later the other does not see.
  key_value_cache(const key_value_cache& other)
      : keys_(other.keys_), values_(other.values_), length_(other.length_) {}
  key_value_cache(key_value_cache&&) = default;
  key_value_cache& operator=(key_value_cache other) noexcept {
    std::swap(keys_, other.keys_);
    std::swap(values_, other.values_);
    std::swap(length_, other.length_);
    std::swap(owned_, other.owned_);
    return *this;
  }

  /// Tokens held.
  index_t length() const { return length_; }
  bool empty() const { return length_ == 0; }
  void clear() { *this = key_value_cache(); }

  /// [batch, heads, length, inner / heads]; undefined while empty.
  tensor keys() const { return held(keys_); }
  tensor values() const { return held(values_); }

  /// Adds tokens behind those held. Room is doubled when it runs out, so n tokens cost O(n) copies. Tokens
  /// that carry a gradient are concatenated instead, which leaves the graph of earlier calls valid.
  /// @param keys, values  [batch, heads, tokens, inner / heads]
  /// @throws usage_error if their batch, heads or width are not those of the tokens held
  void append(const tensor& keys, const tensor& values) {
    const index_t tokens = keys.size(2);
    const auto fits = [&](const tensor& given) {
      return given.size(0) == keys_.size(0) && given.size(1) == keys_.size(1) &&
             given.size(3) == keys_.size(3);
    };
    if (!empty() && !(fits(keys) && fits(values)))
      throw usage_error("fmsb::nn::key_value_cache holds tokens of shape " +
                        detail::shape_text(this->keys()) + ", but was given " + detail::shape_text(keys) +
                        "; only the third size may differ. Use one cache for each layer and sequence.");
    if (empty() || keys.requires_grad() || keys_.requires_grad()) {
      keys_ = empty() ? keys : at::cat({this->keys(), keys}, 2);
      values_ = empty() ? values : at::cat({this->values(), values}, 2);
      owned_ = false;
    } else {
      if (!owned_ || length_ + tokens > keys_.size(2)) grow(std::max(2 * length_, length_ + tokens));
      keys_.narrow(2, length_, tokens).copy_(keys);
      values_.narrow(2, length_, tokens).copy_(values);
    }
    length_ += tokens;
  }

 private:
  tensor held(const tensor& room) const { return empty() ? tensor() : room.narrow(2, 0, length_); }

  void grow(index_t room) {
    for (tensor* held : {&keys_, &values_}) {
      auto sizes = held->sizes().vec();
      sizes[2] = room;
      auto larger = at::empty(sizes, held->options());
      larger.narrow(2, 0, length_).copy_(held->narrow(2, 0, length_));
      *held = larger;
    }
    owned_ = true;
  }

  tensor keys_, values_;  ///< with room behind the tokens held
  index_t length_ = 0;
  bool owned_ = false;  ///< may write behind the tokens held: the room was made here
};

/// What a call of an attention layer may be given besides its tokens.
struct attention_inputs {
  /// Another sequence to attend to, [batch, Tk, context_width]: cross-attention. Undefined: the tokens
  /// themselves.
  tensor context = {};
  /// Added to the scores before the softmax, broadcast to [batch, heads, Tq, Tk]: a position bias, or a mask
  /// with minus infinity where a query must not look.
  tensor bias = {};
  /// A query sees no key behind its own position. Not with another sequence.
  bool causal = false;
  /// Of self-attention: keys and values of the tokens before these; those of these are appended. Of
  /// cross-attention: filled by the first call and read by the later ones, which skip the projections.
  key_value_cache* cache = nullptr;
};

namespace detail {
/// The width of the tokens that are attended to.
constexpr index_t context_of(const attention_config& config) {
  return config.context_width == 0 ? config.width : config.context_width;
}

template <attention_config C, class Plan, class... Further>
using attention_parts =
    composite<typename Plan::template child<"q", linear<C.width, C.inner, C.bias>>,
              typename Plan::template child<"k", linear<context_of(C), C.inner, C.bias>>,
              typename Plan::template child<"v", linear<context_of(C), C.inner, C.bias>>,
              typename Plan::template child<"o", linear<C.inner, C.width, C.bias>>, Further...>;
}  // namespace detail

/// Multi-head attention (Vaswani et al., "Attention Is All You Need", NIPS 2017, section 3.2.2): with heads
/// h,
///
///     attention(x) = concat_h(softmax(s Q_h K_h' + bias_h) V_h) O,   Q = x q, K = c k, V = c v,
///
/// where c is x or another sequence and s is 1 / sqrt(inner / heads) or 1.
///
/// Its children are the linear layers `q`, `k`, `v` [inner, width] and `o` [width, inner], and what else
/// stands among them by its name, such as the table of T5's position bias.
///
/// @tparam Config    sizes and choices
/// @tparam Plan      which adapters stand on the children, as in adapt/plan.hpp
/// @tparam Rotation  called as rotation(x [batch, heads, tokens, d], first position) on queries and keys;
///                   default constructible; tells itself by a static describe(), if it has one.
///                   Cross-attention does not rotate: its positions do not compare.
/// @tparam Further   more children, each a nn::child, behind `o`; the layer registers them and does not call
/// them
template <attention_config Config, class Plan = unplanned, class Rotation = no_rotation, class... Further>
class multi_head_attention : public detail::attention_parts<Config, Plan, Further...> {
  using base = detail::attention_parts<Config, Plan, Further...>;
  static_assert((Config.width >= 1 || Config.width == dynamic) &&
                    (Config.inner >= 1 || Config.inner == dynamic) && Config.heads >= 1 &&
                    (Config.context_width >= 0 || Config.context_width == dynamic),
                "fmsb::nn::multi_head_attention requires a width, an inner width and heads of at least 1");
  static_assert(Config.inner == dynamic || Config.inner % Config.heads == 0,
                "fmsb::nn::multi_head_attention requires an inner width that is a multiple of the heads");
  static_assert(Config.dropout >= 0 && Config.dropout < 1,
                "fmsb::nn::multi_head_attention requires a dropout from 0 up to, but not including, 1");

 public:
  using plain = multi_head_attention<Config, unplanned, Rotation,
                                     child<Further::name, plain_of<typename Further::type>>...>;
  static constexpr attention_config config = Config;
  static constexpr index_t head_width = quotient_of(Config.inner, Config.heads);

  multi_head_attention() requires(std::default_initializable<base>) = default;
  /// @throws usage_error for an extent that neither the configuration nor the argument fixes, or on which
  /// they
  ///         differ, and for an inner width that is no multiple of the heads
  explicit multi_head_attention(const attention_extents& given)
      : multi_head_attention(all_known(), chosen(given)) {}

  /// Once built.
  attention_extents extents() const {
    return {.width = width(), .inner = inner(), .context_width = context_width()};
  }

  /// Self-attention over all positions, without a mask: `attend(x)`.
  /// @param x  [batch, tokens, width]
  /// @return [batch, tokens, width]
  tensor forward(const tensor& x) const { return attend(x); }

  /// @param x  [batch, Tq, width]
  /// @return [batch, Tq, width]
  /// @throws usage_error for a shape that does not fit the layer, or `causal` with another sequence
  tensor attend(const tensor& x, const attention_inputs& inputs = {}) const {
    const bool cross = inputs.context.defined();
    require_tokens(x, "tokens", width());
    if (cross) require_tokens(inputs.context, "another sequence", context_width());
    if (cross && inputs.context.size(0) != x.size(0))
      throw usage_error("fmsb::nn::multi_head_attention was given " + std::to_string(x.size(0)) +
                        " sequences of tokens, but " + std::to_string(inputs.context.size(0)) +
                        " sequences to attend to. Give one for each.");
    if (cross && inputs.causal)
      throw usage_error(
          "fmsb::nn::multi_head_attention: `causal` compares positions of one sequence, but another sequence "
          "is "
          "attended to. Give a bias that hides what must not be seen.");
    if (!cross && context_width() != width())
      throw usage_error("fmsb::nn::multi_head_attention was made to attend to tokens of " +
                        std::to_string(context_width()) + " features, and none were given. Give `context`.");

    const index_t past = inputs.cache != nullptr && !cross ? inputs.cache->length() : 0;
    auto query = heads_of(this->template at<"q">().forward(x));
    if (!cross) query = Rotation{}(query, past);

    tensor key, value;
    if (cross && inputs.cache != nullptr && !inputs.cache->empty()) {
      key = inputs.cache->keys();
      value = inputs.cache->values();
    } else {
      const auto& source = cross ? inputs.context : x;
      key = heads_of(this->template at<"k">().forward(source));
      value = heads_of(this->template at<"v">().forward(source));
      if (!cross) key = Rotation{}(key, past);
      if (inputs.cache != nullptr) {
        inputs.cache->append(key, value);
        key = inputs.cache->keys();
        value = inputs.cache->values();
      }
    }

    // LibTorch's own causal mask starts at the first key; with a cache or a bias the mask is written out.
    const bool hides = inputs.causal && x.size(1) > 1;
    const bool implicit = hides && past == 0 && !inputs.bias.defined();
    std::optional<tensor> mask;
    if (inputs.bias.defined()) mask = inputs.bias;
    if (hides && !implicit) {
      const auto later =
          at::ones({query.size(2), key.size(2)}, query.options().dtype(at::kBool)).triu(past + 1);
      const auto none = at::zeros({}, query.options());
      mask = (mask ? *mask : none).masked_fill(later, -std::numeric_limits<double>::infinity());
    }
    const double scale = Config.scaled ? 1 / std::sqrt(static_cast<double>(inner() / Config.heads)) : 1.0;
    const auto mixed =
        Config.dropout > 0 && this->is_training() && !implicit
            ? mix_some(query, key, value, mask, scale)
            : at::scaled_dot_product_attention(query, key, value, mask,
                                               this->is_training() ? Config.dropout : 0, implicit, scale);
    return this->template at<"o">().forward(mixed.transpose(1, 2).reshape({x.size(0), x.size(1), inner()}));
  }

 protected:
  std::string title() const override {
    return "multi_head_attention(heads=" + std::to_string(Config.heads) +
           (Config.scaled ? "" : ", scaled=no") + rotation_text() + ")";
  }

 private:
  struct all_known {};
  multi_head_attention(all_known, const attention_extents& e)
      : base(child_of<"q">({.in = e.width, .out = e.inner}),
             child_of<"k">({.in = e.context_width, .out = e.inner}),
             child_of<"v">({.in = e.context_width, .out = e.inner}),
             child_of<"o">({.in = e.inner, .out = e.width}), typename Further::type()...) {}

  template <fixed_string Name>
  static auto child_of(const linear_extents& extents) {
    return typename base::template child_type<Name>(extents);
  }

  static attention_extents chosen(const attention_extents& given) {
    const char* owner = "nn::multi_head_attention";
    constexpr index_t context = detail::context_of(Config);
    attention_extents e{.width = chosen_extent<Config.width>(owner, "width", given.width),
                        .inner = chosen_extent<Config.inner>(owner, "inner", given.inner)};
    if (e.inner % Config.heads != 0)
      throw usage_error("fmsb::nn::multi_head_attention was given an inner width of " +
                        std::to_string(e.inner) + ", which is no multiple of its " +
                        std::to_string(Config.heads) + " heads.");
    e.context_width = given.context_width != 0
                          ? index_t{chosen_extent<context>(owner, "context_width", given.context_width)}
                      : context == dynamic ? e.width
                                           : context;
    return e;
  }

  index_t width() const { return Config.width != dynamic ? Config.width : weight_of<"q">().size(1); }
  index_t inner() const { return Config.inner != dynamic ? Config.inner : weight_of<"q">().size(0); }
  index_t context_width() const {
    constexpr index_t context = detail::context_of(Config);
    return context != dynamic ? context : weight_of<"k">().size(1);
  }

  template <fixed_string Name>
  const tensor& weight_of() const {
    return this->template at<Name>().weight;
  }

  static std::string rotation_text() {
    if constexpr (std::is_same_v<Rotation, no_rotation>)
      return "";
    else if constexpr (requires { Rotation::describe(); })
      return ", rotation=" + Rotation::describe();
    else
      return ", rotation=" + c10::demangle(typeid(Rotation).name());
  }

  /// Attention with dropout, which LibTorch does step by step on the CPU, too, but drawing its numbers one by
  /// one. Where a query may see nothing, it gets nothing.
  static tensor mix_some(const tensor& query, const tensor& key, const tensor& value,
                         const std::optional<tensor>& mask, double scale) {
    auto scores = at::matmul(scale == 1 ? query : query * scale, key.transpose(-2, -1));
    if (mask)
      scores = mask->scalar_type() == at::kBool
                   ? scores.masked_fill(mask->logical_not(), -std::numeric_limits<double>::infinity())
                   : scores + *mask;
    return at::matmul(dropped(at::_safe_softmax(scores, -1), Config.dropout), value);
  }

  static tensor heads_of(const tensor& x) {
    return x.reshape({x.size(0), x.size(1), Config.heads, x.size(2) / Config.heads}).transpose(1, 2);
  }

  static void require_tokens(const tensor& x, const char* what, index_t features) {
    if (x.dim() != 3 || x.size(2) != features)
      throw usage_error(std::string("fmsb::nn::multi_head_attention was given ") + what + " of shape " +
                        detail::shape_text(x) + "; it takes [batch, tokens, " + std::to_string(features) +
                        "].");
  }
};

}  // namespace fmsb::nn
