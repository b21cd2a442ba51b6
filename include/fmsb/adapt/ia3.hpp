#pragma once
#include "fmsb/adapt/adapted.hpp"  // adapted, linear_map
#include "fmsb/nn/initialise.hpp"  // filled

#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::adapt {

struct ia3_options {
  bool feed_forward = false;  ///< rescale the input in place of the output
  friend bool operator==(const ia3_options&, const ia3_options&) = default;
};

/// Rescales what a layer computes, feature by feature: y = l o (W x + b), or y = W (l o x) + b where the
/// layer is a target within a feed-forward block (Liu et al., "Few-Shot Parameter-Efficient Fine-Tuning is
/// Better and Cheaper than In-Context Learning", NeurIPS 2022, section 3.3: keys and values, and the inner
/// activation of feed-forward blocks).
///
/// Registers `ia3_l`, ones: [out, 1] or [1, in] on a linear layer, [1, out, 1...] or [1, in, 1...] on a
/// convolution.
template <ia3_options Options = {}>
struct ia3 {
  static constexpr ia3_options options = Options;
  static std::string describe() { return Options.feed_forward ? "ia3(feed_forward)" : "ia3"; }
  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer. Where l multiplies the output it multiplies the bias and what other adapters below it
/// add.
template <ia3_options Options>
template <class Base>
class ia3<Options>::on : public adapted<Base, Options.feed_forward ? detail::in_features_of<Base>
                                                                   : detail::out_features_of<Base>> {
  static_assert(linear_map<Base> && detail::has_biased<nn::plain_of<Base>>,
                "fmsb::adapt::ia3 rescales the inputs or outputs of a linear or convolution layer");
  static_assert(
      !requires(const Base& layer) { layer.ia3_l; },
      "fmsb::adapt::ia3 stands on a layer once: its parameter has one name");

 public:
  using adapter = ia3;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  tensor ia3_l;

  void reset() override {
    parent::reset();
    const auto features = Options.feed_forward ? this->weight.size(1) * Base::groups : this->weight.size(0);
    std::vector<index_t> sizes(static_cast<std::size_t>(this->weight.dim()), 1);
    sizes[Base::spatial_axes == 0 && !Options.feed_forward ? 0 : 1] = features;
    ia3_l = this->register_parameter("ia3_l", nn::filled(sizes, 1));
  }

  tensor forward(const tensor& x) const {
    // Without its first or last axis of one, l stands beside an input with and without a batch.
    const auto l = Base::spatial_axes == 0 ? ia3_l.flatten() : ia3_l.select(0, 0);
    if constexpr (Options.feed_forward)
      return Base::forward(x * l);
    else
      return Base::forward(x) * l;
  }

  tensor effective_weight() const {
    const auto before = Base::effective_weight();
    if constexpr (!Options.feed_forward) {
      std::vector<index_t> sizes(static_cast<std::size_t>(before.dim()), 1);
      sizes[0] = before.size(0);
      return before * ia3_l.view(sizes);
    } else {
      // Block by block: the inputs of one block of a grouped convolution are a stretch of all.
      const auto blocks = before.reshape({Base::groups, before.size(0) / Base::groups, before.size(1), -1});
      return (blocks * ia3_l.view({Base::groups, 1, before.size(1), 1})).reshape(before.sizes());
    }
  }
  tensor effective_bias() const {
    const auto before = Base::effective_bias();
    if constexpr (Options.feed_forward) return before;
    return before.defined() ? before * ia3_l.flatten() : before;
  }

  std::string describe() const override { return Base::describe() + " + " + ia3::describe(); }
};

}  // namespace fmsb::adapt
