#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/core/extent.hpp"                  // index_t
#include "fmsb/models/backbones/conv_slot.hpp"   // filling
#include "fmsb/models/backbones/numbered.hpp"    // numbered
#include "fmsb/models/backbones/settings.hpp"    // backbone_settings
#include "fmsb/models/backbones/unet_core.hpp"   // unet_core, unet_block
#include "fmsb/models/backbones/unet_slots.hpp"  // unet_slots
#include "fmsb/nn/batch_norm.hpp"                // batch_norm
#include "fmsb/nn/conv.hpp"                      // conv2d
#include "fmsb/nn/doubling_conv.hpp"             // doubling_conv

#include <ATen/ops/max_pool2d.h>  // at::max_pool2d

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <utility>  // std::index_sequence, std::move
#include <vector>   // std::vector

namespace fmsb::models {

/// What fixes a `unet_2d` besides its convolutions.
struct unet_2d_options {
  index_t in = 3;  ///< channels of the input, or `dynamic`
  index_t classes = 10;
  std::array<index_t, 5> channels{64, 128, 256, 512, 1024};  ///< of the levels, from the top
  index_t kernel = 3;                                        ///< where it is not searched
  double norm_momentum = 0.1;
  friend bool operator==(const unet_2d_options&, const unet_2d_options&) = default;

  constexpr std::array<detail::unet_widths, detail::kUnetBlocks> widths() const {
    std::array<detail::unet_widths, detail::kUnetBlocks> all{};
    for (std::size_t b = 0; b < detail::kUnetBlocks; ++b) {
      const auto level = static_cast<std::size_t>(detail::unet_level(b));
      const index_t own = channels[level];
      const bool up = b >= static_cast<std::size_t>(detail::kUnetLevels);
      all[b] = {up ? 2 * own : b == 0 ? in : channels[level - 1], own, own};
    }
    return all;
  }
};

/// The options of the supernet that the released search uses in place of the full network.
constexpr unet_2d_options small(unet_2d_options of) {
  of.channels = {25, 25, 25, 25, 50};
  return of;
}

/// Classes from the features of a UNet: four times as many channels by a convolution of one tap, batch norm,
/// ReLU, a number a class at every position, and their mean.
template <index_t Channels, index_t Classes, double Momentum>
class position_classifier
    : public nn::composite<
          nn::child<"widen", nn::conv2d<Channels, 4 * Channels, 1>>,
          nn::child<"norm", nn::batch_norm<2, 4 * Channels, nn::batch_norm_options{.momentum = Momentum}>>,
          nn::child<"classes", nn::conv2d<4 * Channels, Classes, 1>>> {
 public:
  position_classifier() = default;
  /// @param classes  where the type does not fix them
  explicit position_classifier(index_t classes)
      : position_classifier::composite(
            {}, {},
            typename position_classifier::template child_type<"classes">(nn::conv_extents{.out = classes})) {}

  /// @param x  [batch, channels, height, width]
  /// @return [batch, classes]
  tensor forward(const tensor& x) const {
    const auto wide = this->template at<"norm">().forward(this->template at<"widen">().forward(x)).relu();
    return this->template at<"classes">().forward(wide).flatten(2).mean(2);
  }

 protected:
  std::string title() const override { return "position_classifier"; }
};

namespace detail {

template <unet_2d_options C, class Filling, class Blocks>
struct unet_2d_tree;
template <unet_2d_options C, class Filling, std::size_t... Block>
struct unet_2d_tree<C, Filling, std::index_sequence<Block...>> {
  static constexpr index_t up = 0;  // a transposed convolution of two taps by steps of two
  static constexpr auto slots = unet_slots(2, C.kernel, C.widths());
  template <std::size_t I>
  using block = typename unet_block<slots, I, Filling, C.norm_momentum>::type;
  template <std::size_t To>
  using rise = nn::doubling_conv<2, C.channels[To + 1], C.channels[To]>;
  using head = position_classifier<C.channels[0], C.classes, C.norm_momentum>;
  using base = nn::composite<nn::child<numbered<"block", Block>(), block<Block>>...,
                             nn::child<"up3", rise<3>>, nn::child<"up2", rise<2>>, nn::child<"up1", rise<1>>,
                             nn::child<"up0", rise<0>>, nn::child<"head", head>>;

  static base make(const Filling& fill, const backbone_settings& given) {
    return base(block<Block>(fill, given.dropout, {.in = Block == 0 ? given.in : index_t{dynamic}})...,
                rise<3>(), rise<2>(), rise<1>(), rise<0>(), head(given.classes));
  }
};

template <unet_2d_options C, class Filling>
using unet_2d_parts = unet_2d_tree<C, Filling, std::make_index_sequence<kUnetBlocks>>;

}  // namespace detail

/// A UNet of images (Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015) for classes: four times down by
/// maxima of two, four times up by transposed convolutions, the features of each level handed across. As
/// released with DASH (Shen et al., NeurIPS 2022), where it is searched with `dash::mixed` in its places.
///
/// @tparam C             extents and head
/// @tparam Convolutions  what stands in the eighteen searched places, see backbones/conv_slot.hpp
template <unet_2d_options C, auto Convolutions = plain_convolutions>
class unet_2d
    : public detail::unet_core<detail::unet_2d_parts<C, filling<Convolutions>>, filling<Convolutions>> {
  using fill = filling<Convolutions>;
  using parts = detail::unet_2d_parts<C, fill>;
  using core = detail::unet_core<parts, fill>;
  static_assert(
      detail::fits<fill, detail::kUnetPlaces>(),
      "fmsb::models::unet_2d has eighteen searched convolutions; the array must have a point for each");

 public:
  template <auto Others>
  using with = unet_2d<C, Others>;  ///< the same backbone with something else in its places
  static constexpr auto options = C;
  static constexpr int spatial_axes = 2;

  unet_2d() = default;
  /// @throws usage_error for channels or classes that neither says, or on which type and settings differ
  explicit unet_2d(const backbone_settings& given) requires(!detail::chosen_when_built<fill>)
      : core(fill(), given) {}
  /// @param points  for `points_at_run_time`: of each searched convolution the index of its point
  /// @throws usage_error unless there is one for each, in the space, or as above
  explicit unet_2d(std::vector<std::size_t> points,
                   const backbone_settings& given = {}) requires detail::chosen_when_built<fill>
      : core(detail::with_points<fill>("unet_2d", std::move(points), core::slots.size()), given) {}

  /// @param x  [batch, in, height, width], of at least 16 x 16 positions
  /// @return [batch, classes]
  /// @throws usage_error for a shorter one
  tensor forward(const tensor& x) const {
    if (x.dim() != 4 || x.size(2) < 16 || x.size(3) < 16)
      throw usage_error("fmsb::models::unet_2d was given an input of shape " + nn::detail::shape_text(x) +
                        "; it takes [batch, channels, height, width] of at least 16 x 16 positions, which it "
                        "halves four times.");
    const auto halved = [](const tensor& y) { return at::max_pool2d(y, 2); };
    const auto doubled = [this](auto level, const tensor& y) {
      return this->template at<detail::numbered<"up", level()>()>().forward(y);
    };
    return this->template at<"head">().forward(this->through(x, halved, doubled));
  }

  /// Multiplications of all convolutions and the head for an image; `dynamic` for points at run time.
  static constexpr index_t multiply_adds_for(index_t height, index_t width) {
    const auto positions = [&](index_t level) {
      return detail::unet_positions(height, level) * detail::unet_positions(width, level);
    };
    index_t up = 0;
    for (std::size_t l = 0; l + 1 < C.channels.size(); ++l)
      up += 4 * C.channels[l] * C.channels[l + 1] * positions(static_cast<index_t>(l) + 1);
    const auto head = nn::product_of(4 * C.channels[0], nn::sum_of(C.channels[0], C.classes), positions(0));
    return nn::sum_of(core::searched_multiply_adds(positions), up, head);
  }

 protected:
  std::string title() const override { return "unet_2d"; }
};

/// The UNet with 25 channels on every level and 50 on the lowest, which the released search uses.
template <unet_2d_options C, auto Convolutions = plain_convolutions>
using unet_2d_small = unet_2d<small(C), Convolutions>;

}  // namespace fmsb::models
