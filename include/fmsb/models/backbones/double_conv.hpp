#pragma once
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot, conv_of
#include "fmsb/nn/batch_norm.hpp"               // batch_norm
#include "fmsb/nn/composite.hpp"                // child, composite
#include "fmsb/nn/dropped.hpp"                  // dropped

#include <string>  // std::string

namespace fmsb::models {

/// Convolution, batch norm and ReLU, twice: what stands on every level of a UNet.
///
/// @tparam First, Second  its two slots
template <class Filling, conv_slot First, conv_slot Second, double Momentum = 0.1>
class double_conv
    : public nn::composite<
          nn::child<"conv0", conv_of<Filling, First>>,
          nn::child<"norm0",
                    nn::batch_norm<First.axes, First.out, nn::batch_norm_options{.momentum = Momentum}>>,
          nn::child<"conv1", conv_of<Filling, Second>>,
          nn::child<"norm1",
                    nn::batch_norm<Second.axes, Second.out, nn::batch_norm_options{.momentum = Momentum}>>> {
 public:
  double_conv() = default;
  /// @param given  of the first convolution
  double_conv(const Filling& fill, double dropout, nn::conv_extents given = {})
      : double_conv::composite(fill.template make<First>(given), {}, fill.template make<Second>(), {}),
        dropout_(dropout) {}

  /// @param x  [batch, in, positions...]
  /// @return [batch, out, positions...]
  tensor forward(const tensor& x) const {
    auto y = this->template at<"norm0">().forward(this->template at<"conv0">().forward(x)).relu();
    if (this->is_training()) y = nn::dropped(y, dropout_);
    return this->template at<"norm1">().forward(this->template at<"conv1">().forward(y)).relu();
  }

  template <class Visit>
  void for_each_searched(Visit&& visit) {
    visit(First, this->template at<"conv0">());
    visit(Second, this->template at<"conv1">());
  }

 protected:
  std::string title() const override { return "double_conv"; }

 private:
  double dropout_ = 0;
};

}  // namespace fmsb::models
