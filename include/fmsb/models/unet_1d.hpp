#pragma once
#include "fmsb/core/error.hpp"                    // usage_error
#include "fmsb/core/extent.hpp"                   // index_t
#include "fmsb/models/backbones/conv_slot.hpp"    // filling
#include "fmsb/models/backbones/double_conv.hpp"  // double_conv
#include "fmsb/models/backbones/heads.hpp"        // pooled_classifier
#include "fmsb/models/backbones/numbered.hpp"     // numbered
#include "fmsb/models/backbones/settings.hpp"     // backbone_settings
#include "fmsb/models/backbones/unet_slots.hpp"   // unet_slots

#include <ATen/ops/cat.h>                // at::cat
#include <ATen/ops/constant_pad_nd.h>    // at::constant_pad_nd
#include <ATen/ops/max_pool1d.h>         // at::max_pool1d
#include <ATen/ops/upsample_linear1d.h>  // at::upsample_linear1d

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string, std::to_string
#include <utility>  // std::index_sequence, std::move
#include <vector>   // std::vector

namespace fmsb::models {

/// What fixes a `unet_1d` besides its convolutions.
struct unet_1d_options {
  index_t in = 5;  ///< channels of the input, or `dynamic`
  index_t classes = 2;
  index_t width = 64;    ///< channels of the first level; then twice, four and eight times as many
  index_t segments = 0;  ///< of the head, see `pooled_classifier`; 0: the mean over all positions
  index_t kernel = 3;    ///< where it is not searched
  double norm_momentum = 0.1;
  friend bool operator==(const unet_1d_options&, const unet_1d_options&) = default;

  constexpr std::array<detail::unet_widths, detail::kUnetBlocks> widths() const {
    const index_t w = width;
    return {{{in, w, w},
             {w, 2 * w, 2 * w},
             {2 * w, 4 * w, 4 * w},
             {4 * w, 8 * w, 8 * w},
             {8 * w, 8 * w, 8 * w},
             {16 * w, 8 * w, 4 * w},
             {8 * w, 4 * w, 2 * w},
             {4 * w, 2 * w, w},
             {2 * w, w, w}}};
  }
};

namespace detail {

template <unet_1d_options C, class Filling, class Blocks>
struct unet_1d_tree;
template <unet_1d_options C, class Filling, std::size_t... Block>
struct unet_1d_tree<C, Filling, std::index_sequence<Block...>> {
  static constexpr auto slots = unet_slots(1, C.kernel, C.widths());
  template <std::size_t I>
  struct block {
    static constexpr conv_slot first = slots[2 * I], second = slots[2 * I + 1];
    using type = double_conv<Filling, first, second, C.norm_momentum>;
  };
  using head = pooled_classifier<1, C.width, C.classes, C.segments>;
  using base = nn::composite<nn::child<numbered<"block", Block>(), typename block<Block>::type>...,
                             nn::child<"head", head>>;

  static base make(const Filling& fill, const backbone_settings& given) {
    return base(
        typename block<Block>::type(fill, given.dropout, {.in = Block == 0 ? given.in : index_t{dynamic}})...,
        head(given.classes));
  }
};

template <unet_1d_options C, class Filling>
using unet_1d_parts = unet_1d_tree<C, Filling, std::make_index_sequence<kUnetBlocks>>;

}  // namespace detail

/// A UNet over one axis (Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015) for classes: four times down by
/// maxima of two, four times up by linear interpolation, the features of each level handed across. As
/// released with DASH (Shen et al., NeurIPS 2022), where it is searched with `dash::mixed` in its places.
///
/// @tparam C             extents and head
/// @tparam Convolutions  what stands in the eighteen searched places, see backbones/conv_slot.hpp
template <unet_1d_options C, auto Convolutions = plain_convolutions>
class unet_1d : public detail::unet_1d_parts<C, filling<Convolutions>>::base {
  using fill = filling<Convolutions>;
  using parts = detail::unet_1d_parts<C, fill>;
  static_assert(
      detail::fits<fill, detail::kUnetPlaces>(),
      "fmsb::models::unet_1d has eighteen searched convolutions; the array must have a point for each");

 public:
  template <auto Others>
  using with = unet_1d<C, Others>;            ///< the same backbone with something else in its places
  using space_type = detail::space_of<fill>;  ///< that a search chooses from; void where there is none
  static constexpr auto options = C;
  static constexpr auto slots = parts::slots;  ///< what a search may replace
  static constexpr int spatial_axes = 1;
  using layers = layer_counts<fill, slots>;  ///< of the searched layers: fields, multiply_adds, parameters
  /// Positions that a number before the head sees; `dynamic` for points at run time.
  static constexpr index_t receptive_field = detail::unet_field(layers::fields, /*up=*/1);

  unet_1d() = default;
  /// @throws usage_error for channels or classes that neither says, or on which type and settings differ
  explicit unet_1d(const backbone_settings& given) requires(!detail::chosen_when_built<fill>)
      : parts::base(parts::make(fill(), given)) {}
  /// @param points  for `points_at_run_time`: of each searched convolution the index of its point
  /// @throws usage_error unless there is one for each, in the space, or as above
  explicit unet_1d(std::vector<std::size_t> points,
                   const backbone_settings& given = {}) requires detail::chosen_when_built<fill>
      : parts::base(parts::make(detail::with_points<fill>("unet_1d", std::move(points), slots.size()),
                                given)) {}

  /// @param x  [batch, in, length], of at least 16 positions
  /// @return [batch, classes]
  /// @throws usage_error for a shorter one
  tensor forward(const tensor& x) const {
    if (x.dim() != 3 || x.size(2) < 16)
      throw usage_error("fmsb::models::unet_1d was given an input of shape " + nn::detail::shape_text(x) +
                        "; it takes [batch, channels, length] of at least 16 positions, which it halves four "
                        "times.");
    const auto level0 = this->template at<"block0">().forward(x);
    const auto level1 = this->template at<"block1">().forward(at::max_pool1d(level0, 2));
    const auto level2 = this->template at<"block2">().forward(at::max_pool1d(level1, 2));
    const auto level3 = this->template at<"block3">().forward(at::max_pool1d(level2, 2));
    auto y = this->template at<"block4">().forward(at::max_pool1d(level3, 2));
    y = this->template at<"block5">().forward(joined(level3, y));
    y = this->template at<"block6">().forward(joined(level2, y));
    y = this->template at<"block7">().forward(joined(level1, y));
    y = this->template at<"block8">().forward(joined(level0, y));
    return this->template at<"head">().forward(y);
  }

  /// The name of a searched convolution in the tree of children: "block0.conv1".
  static std::string place_name(std::size_t place) {
    return "block" + std::to_string(place / 2) + ".conv" + std::to_string(place % 2);
  }

  /// Multiplications of all convolutions and the head for a sequence; `dynamic` for points at run time.
  static constexpr index_t multiply_adds_for(index_t length) {
    index_t sum = nn::multiply_adds<typename parts::head>;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (layers::multiply_adds[i] == dynamic) return dynamic;
      sum += layers::multiply_adds[i] * detail::unet_positions(length, detail::unet_level(i / 2));
    }
    return sum;
  }

  /// Calls `visit(slot, layer)` for the layer in each searched place, in order.
  template <class Visit>
  void for_each_searched(Visit&& visit) {
    [&]<std::size_t... Block>(std::index_sequence<Block...>) {
      (this->template at<detail::numbered<"block", Block>()>().for_each_searched(visit), ...);
    }
    (std::make_index_sequence<detail::kUnetBlocks>());
  }

 protected:
  std::string title() const override { return "unet_1d"; }

 private:
  /// What was handed across, and what comes from below at twice its length, with zeros at the end where the
  /// level had an odd one.
  static tensor joined(const tensor& across, const tensor& below) {
    const auto up = at::upsample_linear1d(below, {2 * below.size(2)}, /*align_corners=*/true);
    const index_t missing = across.size(2) - up.size(2);
    return at::cat({across, missing == 0 ? up : at::constant_pad_nd(up, {0, missing})}, 1);
  }
};

}  // namespace fmsb::models
