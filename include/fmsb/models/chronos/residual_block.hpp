#pragma once
#include "fmsb/nn/composite.hpp"   // composite, unplanned
#include "fmsb/nn/initialise.hpp"  // draw_weight
#include "fmsb/nn/linear.hpp"      // linear

#include <ATen/ops/dropout.h>  // at::dropout

#include <cmath>   // std::sqrt
#include <string>  // std::string

namespace fmsb::chronos {

/// y = dropout(W2 relu(W1 x + b1) + b2) + W3 x + b3: what embeds patches, and maps tokens to quantiles.
///
/// Children have the names of the Python package's ResidualBlock: `hidden_layer`, `output_layer`,
/// `residual_layer`, all with biases.
///
/// @tparam Dropout  when training, from 0 up to, but not including, 1
template <index_t In, index_t Hidden, index_t Out, double Dropout = 0., class Plan = nn::unplanned>
class residual_block
    : public nn::composite<typename Plan::template child<"hidden_layer", nn::linear<In, Hidden>>,
                           typename Plan::template child<"output_layer", nn::linear<Hidden, Out>>,
                           typename Plan::template child<"residual_layer", nn::linear<In, Out>>> {
 public:
  using plain = residual_block<In, Hidden, Out, Dropout, typename Plan::merged>;

  /// @param x  [..., In]
  /// @return [..., Out]
  tensor forward(const tensor& x) const {
    const auto hidden = this->template at<"hidden_layer">().forward(x);
    auto y = this->template at<"output_layer">().forward(at::GradMode::is_enabled() ? hidden.relu()
                                                                                    : hidden.relu_());
    if constexpr (Dropout > 0)
      if (this->is_training()) y = at::dropout(y, Dropout, true);
    return y + this->template at<"residual_layer">().forward(x);
  }

  /// The package's starting values: weights from N(0, factor / sqrt(fan in)), biases zero.
  /// @param fan_in  what stands for the inputs of the hidden and the residual layer
  void draw(double factor, index_t fan_in = In) {
    const double first = factor / std::sqrt(static_cast<double>(fan_in));
    nn::draw_weight(this->template at<"hidden_layer">(), first);
    nn::draw_weight(this->template at<"output_layer">(), factor / std::sqrt(static_cast<double>(Hidden)));
    nn::draw_weight(this->template at<"residual_layer">(), first);
  }

 protected:
  std::string title() const override { return "residual_block"; }
};

}  // namespace fmsb::chronos
