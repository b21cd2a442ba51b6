#pragma once
#include "fmsb/adapt/adapted.hpp"  // adapted, linear_map
#include "fmsb/nn/initialise.hpp"  // filled

#include <string>  // std::string

namespace fmsb::adapt {

/// Adds a bias and trains it, on layers with a bias and without: y = forward(x) + beft_bias. On a layer with
/// a bias it is BitFit (Ben Zaken et al., ACL 2022) with the pretrained bias kept; on one without it is what
/// BitFit stands for there. Follows the method that Python's peft calls BEFT.
///
/// Registers `beft_bias` [out], zero: the adapted layer begins as its base. Merging adds it to the bias; a
/// layer without one merges into its type with one, `Base::biased`.
struct beft {
  static constexpr bool adds_bias = true;  ///< merging may change the layer's type
  static std::string describe() { return "beft"; }
  template <nn::layer_type Base>
  class on;
};

/// The adapted layer. Stands on a linear or convolution layer, plain or adapted.
template <nn::layer_type Base>
class beft::on : public adapted<Base, detail::out_features_of<Base>> {
  static_assert(linear_map<Base> && detail::has_biased<nn::plain_of<Base>>,
                "fmsb::adapt::beft adds a bias to a linear or convolution layer; a norm's own is trained by "
                "fmsb::adapt::bitfit or norm_tuning");
  static_assert(
      !requires(const Base& layer) { layer.beft_bias; },
      "fmsb::adapt::beft stands on a layer once: its parameter has one name");

 public:
  using adapter = beft;
  using plain = typename detail::biased_of<nn::plain_of<Base>>::type;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  tensor beft_bias;  ///< [out]

  void reset() override {
    parent::reset();
    beft_bias = this->register_parameter("beft_bias", nn::filled({this->weight.size(0)}, 0));
  }

  tensor forward(const tensor& x) const { return this->with_bias(Base::forward(x), beft_bias); }

  tensor effective_bias() const {
    const auto before = Base::effective_bias();
    return before.defined() ? before + beft_bias : beft_bias;
  }

  std::string describe() const override { return Base::describe() + " + " + beft::describe(); }
};

}  // namespace fmsb::adapt
