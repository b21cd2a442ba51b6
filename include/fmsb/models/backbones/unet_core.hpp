#pragma once
#include "fmsb/core/extent.hpp"                   // dynamic, index_t
#include "fmsb/models/backbones/conv_slot.hpp"    // conv_slot, layer_counts, space_of
#include "fmsb/models/backbones/double_conv.hpp"  // double_conv
#include "fmsb/models/backbones/numbered.hpp"     // numbered
#include "fmsb/models/backbones/settings.hpp"     // backbone_settings
#include "fmsb/models/backbones/unet_slots.hpp"   // unet_before, unet_field, unet_level
#include "fmsb/nn/counts.hpp"                     // sum_of, product_of

#include <ATen/ops/cat.h>              // at::cat
#include <ATen/ops/constant_pad_nd.h>  // at::constant_pad_nd

#include <cstddef>      // std::size_t
#include <string>       // std::string, std::to_string
#include <type_traits>  // std::integral_constant
#include <utility>      // std::index_sequence
#include <vector>       // std::vector

namespace fmsb::models::detail {

/// A block of a UNet that has these slots.
template <auto Slots, std::size_t Block, class Filling, double Momentum>
struct unet_block {
  static constexpr conv_slot first = Slots[2 * Block], second = Slots[2 * Block + 1];
  using type = double_conv<Filling, first, second, Momentum>;
};

/// What UNets over one axis and over two have in common: their blocks, and the way through them.
///
/// @tparam Parts  `base`, the composite of the blocks and what else there is; `slots`; `make`, which gives a
///                base from a filling and settings; `up`, what a step up adds to what an output sees, in
///                positions of the lower level
template <class Parts, class Filling>
class unet_core : public Parts::base {
 public:
  using space_type = space_of<Filling>;         ///< that a search chooses from; void where there is none
  static constexpr auto slots = Parts::slots;   ///< what a search may replace
  using layers = layer_counts<Filling, slots>;  ///< of the searched layers: fields, multiply_adds, parameters
  /// Positions along an axis that a number before the head sees; `dynamic` for points at run time.
  static constexpr index_t receptive_field = unet_field(layers::fields, Parts::up);

  /// What stands between a place and the one before it, on the way through the bottom.
  static constexpr resampling before(std::size_t place) { return unet_before(place, Parts::up); }

  /// The name of a searched convolution in the tree of children: "block0.conv1".
  static std::string place_name(std::size_t place) {
    return "block" + std::to_string(place / 2) + ".conv" + std::to_string(place % 2);
  }

  /// Calls `visit(slot, layer)` for the layer in each searched place, in order.
  template <class Visit>
  void for_each_searched(Visit&& visit) {
    [&]<std::size_t... Block>(std::index_sequence<Block...>) {
      (this->template at<numbered<"block", Block>()>().for_each_searched(visit), ...);
    }
    (std::make_index_sequence<kUnetBlocks>());
  }

 protected:
  unet_core() = default;
  unet_core(const Filling& fill, const backbone_settings& given) : Parts::base(Parts::make(fill, given)) {}

  /// The features of the top level.
  /// @param halved   `halved(y)` is y at half its size
  /// @param doubled  `doubled(level, y)` is y, from the level below that one, at twice its size; the level is
  ///                 a std::integral_constant
  template <class Halved, class Doubled>
  tensor through(const tensor& x, const Halved& halved, const Doubled& doubled) const {
    const auto level0 = this->template at<"block0">().forward(x);
    const auto level1 = this->template at<"block1">().forward(halved(level0));
    const auto level2 = this->template at<"block2">().forward(halved(level1));
    const auto level3 = this->template at<"block3">().forward(halved(level2));
    auto y = this->template at<"block4">().forward(halved(level3));
    y = this->template at<"block5">().forward(joined(level3, doubled(at_level<3>(), y)));
    y = this->template at<"block6">().forward(joined(level2, doubled(at_level<2>(), y)));
    y = this->template at<"block7">().forward(joined(level1, doubled(at_level<1>(), y)));
    return this->template at<"block8">().forward(joined(level0, doubled(at_level<0>(), y)));
  }

  /// Multiplications of all searched layers; `dynamic` for points at run time.
  /// @param positions  `positions(level)`, how many there are on a level
  template <class Positions>
  static constexpr index_t searched_multiply_adds(const Positions& positions) {
    index_t sum = 0;
    for (std::size_t i = 0; i < slots.size(); ++i)
      sum = nn::sum_of(sum, nn::product_of(layers::multiply_adds[i], positions(unet_level(i / 2))));
    return sum;
  }

 private:
  template <std::size_t Level>
  using at_level = std::integral_constant<std::size_t, Level>;

  /// What was handed across and what comes from below, with zeros at the end of each axis on which the level
  /// had an odd number of positions.
  static tensor joined(const tensor& across, tensor below) {
    std::vector<index_t> missing;  // the last axis first, before and behind
    bool any = false;
    for (index_t axis = across.dim() - 1; axis >= 2; --axis) {
      const index_t count = across.size(axis) - below.size(axis);
      missing.insert(missing.end(), {0, count});
      any = any || count != 0;
    }
    return at::cat({across, any ? at::constant_pad_nd(below, missing) : below}, 1);
  }
};

}  // namespace fmsb::models::detail
