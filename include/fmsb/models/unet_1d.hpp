#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/core/extent.hpp"                  // index_t
#include "fmsb/models/backbones/conv_slot.hpp"   // filling
#include "fmsb/models/backbones/heads.hpp"       // pooled_classifier
#include "fmsb/models/backbones/numbered.hpp"    // numbered
#include "fmsb/models/backbones/settings.hpp"    // backbone_settings
#include "fmsb/models/backbones/unet_core.hpp"   // unet_core, unet_block
#include "fmsb/models/backbones/unet_slots.hpp"  // unet_slots

#include <ATen/ops/max_pool1d.h>         // at::max_pool1d
#include <ATen/ops/upsample_linear1d.h>  // at::upsample_linear1d

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string
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
  static constexpr index_t up = 1;  // interpolation between two
  static constexpr auto slots = unet_slots(1, C.kernel, C.widths());
  template <std::size_t I>
  using block = typename unet_block<slots, I, Filling, C.norm_momentum>::type;
  using head = pooled_classifier<1, C.width, C.classes, C.segments>;
  using base = nn::composite<nn::child<numbered<"block", Block>(), block<Block>>..., nn::child<"head", head>>;

  static base make(const Filling& fill, const backbone_settings& given) {
    return base(block<Block>(fill, given.dropout, {.in = Block == 0 ? given.in : index_t{dynamic}})...,
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
class unet_1d
    : public detail::unet_core<detail::unet_1d_parts<C, filling<Convolutions>>, filling<Convolutions>> {
  using fill = filling<Convolutions>;
  using parts = detail::unet_1d_parts<C, fill>;
  using core = detail::unet_core<parts, fill>;
  static_assert(
      detail::fits<fill, detail::kUnetPlaces>(),
      "fmsb::models::unet_1d has eighteen searched convolutions; the array must have a point for each");

 public:
  template <auto Others>
  using with = unet_1d<C, Others>;  ///< the same backbone with something else in its places
  static constexpr auto options = C;
  static constexpr int spatial_axes = 1;

  unet_1d() = default;
  /// @throws usage_error for channels or classes that neither says, or on which type and settings differ
  explicit unet_1d(const backbone_settings& given) requires(!detail::chosen_when_built<fill>)
      : core(fill(), given) {}
  /// @param points  for `points_at_run_time`: of each searched convolution the index of its point
  /// @throws usage_error unless there is one for each, in the space, or as above
  explicit unet_1d(std::vector<std::size_t> points,
                   const backbone_settings& given = {}) requires detail::chosen_when_built<fill>
      : core(detail::with_points<fill>("unet_1d", std::move(points), core::slots.size()), given) {}

  /// @param x  [batch, in, length], of at least 16 positions
  /// @return [batch, classes]
  /// @throws usage_error for a shorter one
  tensor forward(const tensor& x) const {
    if (x.dim() != 3 || x.size(2) < 16)
      throw usage_error("fmsb::models::unet_1d was given an input of shape " + nn::detail::shape_text(x) +
                        "; it takes [batch, channels, length] of at least 16 positions, which it halves four "
                        "times.");
    const auto halved = [](const tensor& y) { return at::max_pool1d(y, 2); };
    const auto doubled = [](auto, const tensor& y) {
      return at::upsample_linear1d(y, {2 * y.size(2)}, /*align_corners=*/true);
    };
    return this->template at<"head">().forward(this->through(x, halved, doubled));
  }

  /// Multiplications of all convolutions and the head for a sequence; `dynamic` for points at run time.
  static constexpr index_t multiply_adds_for(index_t length) {
    return nn::sum_of(
        nn::multiply_adds<typename parts::head>,
        core::searched_multiply_adds([&](index_t level) { return detail::unet_positions(length, level); }));
  }

 protected:
  std::string title() const override { return "unet_1d"; }
};

}  // namespace fmsb::models
