#pragma once
#include "fmsb/adapt/adapted.hpp"     // adapted, linear_map
#include "fmsb/adapt/low_rank.hpp"    // low_rank_linear, low_rank_weight
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/initialise.hpp"     // drawn_uniform

#include <cmath>        // std::sqrt
#include <string>       // std::string
#include <type_traits>  // std::conditional_t
#include <vector>       // std::vector

namespace fmsb::adapt {

struct lora_options {
  double alpha = 0;              ///< numerator of the scale; 0 stands for the rank, a scale of 1
  bool rank_stabilised = false;  ///< rsLoRA: alpha / sqrt(rank) (Kalajdzievski, arXiv 2312.03732)
  double dropout = 0;            ///< on the branch's input, when training
  bool bias = false;             ///< B has a bias
  friend bool operator==(const lora_options&, const lora_options&) = default;
};

/// Low-rank adaptation: y = W x + b + s B (A drop(x)), with A [rank, in], B [out, rank] and s = alpha / rank
/// (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, eq. 3).
///
/// On a convolution A is a convolution of the base's own geometry (stride, dilation, padding and its mode) to
/// `rank` channels a group and B a pointwise one; A shares the base's groups, so that a grouped convolution
/// merges. On an embedding the table is W' + s (B A)': A is looked up by token, without dropout or bias.
///
/// Registers `lora_A` and `lora_B` (and `lora_B_bias`). A starts as the base would, from U(-1/sqrt(fan in),
/// 1/sqrt(fan in)), B at zero: the adapted layer begins as its base. On an embedding the names are
/// `lora_embedding_A` [rank, count] at zero and `lora_embedding_B` [features, rank] from N(0, 1).
template <index_t Rank, lora_options Options = {}>
struct lora {
  static_assert(Rank >= 1, "fmsb::adapt::lora<Rank> requires a rank of at least 1");
  static_assert(Options.dropout >= 0 && Options.dropout < 1,
                "fmsb::adapt::lora requires a dropout from 0 up to, but not including, 1");

  static constexpr index_t rank = Rank;
  static constexpr lora_options options = Options;
  static constexpr bool adds_bias = Options.bias;  ///< merging may change the layer's type
  static constexpr double alpha = Options.alpha == 0 ? double(Rank) : Options.alpha;

  /// s of the equation.
  static double scale() {
    return alpha /
           (Options.rank_stabilised ? std::sqrt(static_cast<double>(Rank)) : static_cast<double>(Rank));
  }

  static std::string describe() {
    return "lora(rank=" + std::to_string(Rank) + ", alpha=" + number_text(alpha) +
           (Options.rank_stabilised ? ", rank_stabilised" : "") +
           (Options.dropout > 0 ? ", dropout=" + number_text(Options.dropout) : "") +
           (Options.bias ? ", bias)" : ")");
  }

  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer. Wherever W is used below, it is the base's effective weight, so that adapters stack.
template <index_t Rank, lora_options Options>
template <class Base>
class lora<Rank, Options>::on : public adapted<Base, nn::sum_of(detail::low_rank_count<Base, Rank>,
                                                                Options.bias ? Base::out_features : 0)> {
  static_assert(linear_map<Base>,
                "fmsb::adapt::lora adapts a layer that is linear in its weight: linear, conv or embedding");
  static_assert(
      !requires(const Base& b) { b.lora_A; },
      "fmsb::adapt::lora: the layer has low-rank factors already; several of a kind are a bank");
  static constexpr bool of_table = requires { requires Base::is_table; };
  static_assert(
      !of_table || (Options.dropout == 0 && !Options.bias),
      "fmsb::adapt::lora on an embedding takes neither dropout nor a bias: its input are tokens, and "
      "its plain layer has no bias to merge one into");

 public:
  using adapter = lora;
  using plain = std::conditional_t<Options.bias, typename detail::biased_of<nn::plain_of<Base>>::type,
                                   nn::plain_of<Base>>;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  tensor lora_A;       ///< [groups * rank, in / groups, kernel...]
  tensor lora_B;       ///< [out, rank, 1...]
  tensor lora_B_bias;  ///< [out]; undefined without the option

  void reset() override {
    parent::reset();
    if constexpr (of_table) {
      lora_A = this->register_parameter("lora_embedding_A", nn::filled({Rank, this->weight.size(0)}, 0));
      lora_B =
          this->register_parameter("lora_embedding_B", nn::drawn_normal({this->weight.size(1), Rank}, 1));
      return;
    }
    auto a_sizes = this->weight.sizes().vec(), b_sizes = std::vector<index_t>(a_sizes.size(), 1);
    b_sizes[0] = a_sizes[0];
    b_sizes[1] = Rank;
    a_sizes[0] = Base::groups * Rank;
    lora_A = this->register_parameter("lora_A",
                                      nn::drawn_uniform(a_sizes, nn::fan_in_bound(this->weight[0].numel())));
    lora_B = this->register_parameter("lora_B", nn::filled(b_sizes, 0));
    if constexpr (Options.bias)
      lora_B_bias = this->register_parameter("lora_B_bias", nn::filled({b_sizes[0]}, 0));
  }

  tensor forward(const tensor& x) const {
    if constexpr (of_table) return Base::forward(x).add(this->mix(this->map(x, lora_A.t()), lora_B), scale());
    // One node of the graph for what is used most.
    if constexpr (Base::spatial_axes == 0 && !of_table && !is_adapted<Base> && Options.dropout == 0 &&
                  !Options.bias)
      return low_rank_linear(x, this->weight, this->bias, lora_A, lora_B, scale());
    auto branch = this->mix(this->map(at::dropout(x, Options.dropout, this->is_training()), lora_A), lora_B);
    if constexpr (Options.bias) branch = this->with_bias(branch, lora_B_bias);
    return Base::forward(x).add(branch, scale());
  }

  tensor effective_weight() const {
    const auto product = low_rank_weight(lora_A, lora_B, Base::groups) * scale();
    return Base::effective_weight() + (of_table ? product.t() : product);
  }
  tensor effective_bias() const {
    if constexpr (!Options.bias) return Base::effective_bias();
    const auto before = Base::effective_bias(), own = lora_B_bias * scale();
    return before.defined() ? before + own : own;
  }

  std::string describe() const override { return Base::describe() + " + " + lora::describe(); }
};

}  // namespace fmsb::adapt
