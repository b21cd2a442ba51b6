#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot, filling, conv_of
#include "fmsb/models/backbones/draw.hpp"       // draw_glorot
#include "fmsb/models/backbones/heads.hpp"      // pooled_classifier
#include "fmsb/models/backbones/numbered.hpp"   // numbered
#include "fmsb/models/backbones/settings.hpp"   // backbone_settings
#include "fmsb/models/backbones/shortcut.hpp"   // shortcut
#include "fmsb/nn/batch_norm.hpp"               // batch_norm
#include "fmsb/nn/composite.hpp"                // child, composite
#include "fmsb/nn/dropped.hpp"                  // dropped

#include <array>    // std::array
#include <cmath>    // std::sqrt
#include <cstddef>  // std::size_t
#include <string>   // std::string, std::to_string
#include <utility>  // std::index_sequence, std::move
#include <vector>   // std::vector

namespace fmsb::models {

/// What fixes a `wide_resnet_2d` besides its convolutions.
struct wide_resnet_2d_options {
  index_t in = 3;  ///< channels of the input, or `dynamic`
  index_t classes = 10;
  index_t depth = 16;  ///< 6n + 4: three stages of n blocks of two convolutions
  index_t widen = 1;   ///< times 16, 32 and 64 channels in the stages
  index_t segments =
      0;               ///< of the head on each axis, see `pooled_classifier`; 0: the mean over all positions
  index_t kernel = 3;  ///< where it is not searched
  double norm_momentum = 0.1;        ///< share of the present batch in the running statistics
  double final_norm_momentum = 0.1;  ///< of the last batch norm
  friend bool operator==(const wide_resnet_2d_options&, const wide_resnet_2d_options&) = default;

  static constexpr index_t kStem = 16;

  constexpr index_t blocks_a_stage() const { return (depth - 4) / 6; }
  constexpr index_t blocks() const { return 3 * blocks_a_stage(); }
  constexpr index_t channels_out(index_t block) const {
    return widen * (kStem << (block / blocks_a_stage()));
  }
  constexpr index_t channels_in(index_t block) const { return block == 0 ? kStem : channels_out(block - 1); }
  /// The first block of the second and third stage halves the image.
  constexpr index_t stride(index_t block) const { return block > 0 && block % blocks_a_stage() == 0 ? 2 : 1; }
  constexpr conv_slot stem() const {
    return {.axes = 2, .place = 0, .in = in, .out = kStem, .kernel = kernel};
  }
  /// The first (0) or second (1) convolution of a block; the second has the block's stride.
  constexpr conv_slot slot(index_t block, index_t layer) const {
    return {.axes = 2,
            .place = 1 + 2 * block + layer,
            .in = layer == 0 ? channels_in(block) : channels_out(block),
            .out = channels_out(block),
            .kernel = kernel,
            .stride = layer == 0 ? 1 : stride(block)};
  }
};

/// What a search may replace: the stem and both convolutions of every block, 6n + 1.
template <wide_resnet_2d_options C>
inline constexpr auto wide_resnet_2d_slots = [] {
  std::array<conv_slot, static_cast<std::size_t>(2 * C.blocks() + 1)> all;
  all[0] = C.stem();
  for (index_t i = 0; i < 2 * C.blocks(); ++i) all[static_cast<std::size_t>(i) + 1] = C.slot(i / 2, i % 2);
  return all;
}();

/// The options under which the network is that of the program released with DASH.
constexpr wide_resnet_2d_options released(wide_resnet_2d_options of) {
  of.segments = 0;
  of.final_norm_momentum = 0.9;
  return of;
}

namespace detail {

template <wide_resnet_2d_options C, class Filling, index_t Block>
struct wide_resnet_2d_parts {
  static constexpr index_t in = C.channels_in(Block), out = C.channels_out(Block);
  static constexpr conv_slot slot0 = C.slot(Block, 0), slot1 = C.slot(Block, 1);
  static constexpr nn::batch_norm_options norm{.momentum = C.norm_momentum};
  using norm0 = nn::batch_norm<2, in, norm>;
  using conv0 = conv_of<Filling, slot0>;
  using norm1 = nn::batch_norm<2, out, norm>;
  using conv1 = conv_of<Filling, slot1>;
  using around = shortcut<2, in, out, slot1.stride, /*Normed=*/false>;
  using base = nn::composite<nn::child<"norm0", norm0>, nn::child<"conv0", conv0>, nn::child<"norm1", norm1>,
                             nn::child<"conv1", conv1>, nn::child<"shortcut", around>>;
};

}  // namespace detail

/// Batch norm, ReLU and convolution, twice, and a way around them.
template <wide_resnet_2d_options C, class Filling, index_t Block>
class wide_resnet_2d_block : public detail::wide_resnet_2d_parts<C, Filling, Block>::base {
  using parts = detail::wide_resnet_2d_parts<C, Filling, Block>;

 public:
  wide_resnet_2d_block() = default;
  wide_resnet_2d_block(const Filling& fill, double dropout)
      : parts::base(typename parts::norm0(), fill.template make<parts::slot0>(), typename parts::norm1(),
                    fill.template make<parts::slot1>(), typename parts::around()),
        dropout_(dropout) {}

  /// @param x  [batch, in, height, width]
  /// @return [batch, out, every stride-th position of each axis]
  tensor forward(const tensor& x) const {
    auto y = this->template at<"conv0">().forward(this->template at<"norm0">().forward(x).relu());
    if (this->is_training()) y = nn::dropped(y, dropout_);
    y = this->template at<"conv1">().forward(this->template at<"norm1">().forward(y).relu());
    return y + this->template at<"shortcut">().forward(x);
  }

  template <class Visit>
  void for_each_searched(Visit&& visit) {
    visit(parts::slot0, this->template at<"conv0">());
    visit(parts::slot1, this->template at<"conv1">());
  }
  template <class Visit>
  void for_each_plain(Visit&& visit) {
    if constexpr (!parts::around::keeps_shape) visit(this->template at<"shortcut">().template at<"conv">());
  }

 protected:
  std::string title() const override { return "wide_resnet_2d_block"; }

 private:
  double dropout_ = 0;
};

namespace detail {

template <wide_resnet_2d_options C, class Filling, class Blocks>
struct wide_resnet_2d_tree;
template <wide_resnet_2d_options C, class Filling, std::size_t... Block>
struct wide_resnet_2d_tree<C, Filling, std::index_sequence<Block...>> {
  static constexpr index_t channels = C.channels_out(C.blocks() - 1);
  static constexpr conv_slot stem_slot = C.stem();
  using stem = conv_of<Filling, stem_slot>;
  using norm = nn::batch_norm<2, channels, nn::batch_norm_options{.momentum = C.final_norm_momentum}>;
  using head = pooled_classifier<2, channels, C.classes, C.segments>;
  using base = nn::composite<
      nn::child<"stem", stem>,
      nn::child<numbered<"block", Block>(), wide_resnet_2d_block<C, Filling, static_cast<index_t>(Block)>>...,
      nn::child<"norm", norm>, nn::child<"head", head>>;

  static base make(const Filling& fill, const backbone_settings& given) {
    return base(fill.template make<stem_slot>({.in = given.in}),
                wide_resnet_2d_block<C, Filling, static_cast<index_t>(Block)>(fill, given.dropout)..., norm(),
                head(given.classes));
  }
  template <class Self, class Visit>
  static void for_each_block(Self& self, Visit&& visit) {
    (visit(self.template at<numbered<"block", Block>()>()), ...);
  }
};

template <wide_resnet_2d_options C, class Filling>
using wide_resnet_2d_parts_of =
    wide_resnet_2d_tree<C, Filling, std::make_index_sequence<static_cast<std::size_t>(C.blocks())>>;

}  // namespace detail

/// The wide residual network (Zagoruyko and Komodakis, "Wide Residual Networks", BMVC 2016) of depth 6n + 4:
/// a stem of 16 channels and three stages of n blocks, of which the second and third halve the image. With
/// `dash::mixed` in its places it is the supernet that DASH searches for images (Shen et al., NeurIPS 2022,
/// section 4.1).
///
/// Convolutions that are no mixtures are drawn by Glorot and Bengio's uniform rule with a gain of sqrt(2),
/// and biases are zero, as released.
///
/// @tparam C             extents and head
/// @tparam Convolutions  what stands in the searched places, see backbones/conv_slot.hpp
template <wide_resnet_2d_options C, auto Convolutions = plain_convolutions>
class wide_resnet_2d : public detail::wide_resnet_2d_parts_of<C, filling<Convolutions>>::base {
  static_assert(C.depth >= 10 && (C.depth - 4) % 6 == 0,
                "fmsb::models::wide_resnet_2d requires a depth of 6n + 4: 10, 16, 22, 28, ...");
  using fill = filling<Convolutions>;
  using parts = detail::wide_resnet_2d_parts_of<C, fill>;
  static_assert(detail::fits<fill, wide_resnet_2d_slots<C>.size()>(),
                "fmsb::models::wide_resnet_2d: the array must have a point for each searched convolution, of "
                "which a depth of 6n + 4 has 6n + 1");

 public:
  template <auto Others>
  using with = wide_resnet_2d<C, Others>;     ///< the same backbone with something else in its places
  using space_type = detail::space_of<fill>;  ///< that a search chooses from; void where there is none
  static constexpr auto options = C;
  static constexpr auto slots = wide_resnet_2d_slots<C>;  ///< what a search may replace
  static constexpr int spatial_axes = 2;
  using layers = layer_counts<fill, slots>;  ///< of the searched layers: fields, multiply_adds, parameters
  /// Positions along an axis that a number before the head sees; `dynamic` for points at run time.
  static constexpr index_t receptive_field = field_through<slots>(layers::fields);

  wide_resnet_2d() = default;
  /// @throws usage_error for channels or classes that neither says, or on which type and settings differ
  explicit wide_resnet_2d(const backbone_settings& given) requires(!detail::chosen_when_built<fill>)
      : parts::base(parts::make(fill(), given)) {}
  /// @param points  for `points_at_run_time`: of each searched convolution the index of its point
  /// @throws usage_error unless there is one for each, in the space, or as above
  explicit wide_resnet_2d(std::vector<std::size_t> points,
                          const backbone_settings& given = {}) requires detail::chosen_when_built<fill>
      : parts::base(parts::make(detail::with_points<fill>("wide_resnet_2d", std::move(points), slots.size()),
                                given)) {}

  void reset() override {
    parts::base::reset();
    const auto draw = [](const auto& conv) { detail::draw_glorot(conv, std::sqrt(2.0)); };
    for_each_searched([&](const conv_slot&, auto& conv) { draw(conv); });
    parts::for_each_block(*this, [&](auto& block) { block.for_each_plain(draw); });
  }

  /// @param x  [batch, in, height, width]
  /// @return [batch, classes]
  tensor forward(const tensor& x) const {
    auto y = this->template at<"stem">().forward(x);
    parts::for_each_block(*this, [&](const auto& block) { y = block.forward(y); });
    y = this->template at<"norm">().forward(y).relu();
    return this->template at<"head">().forward(y);
  }

  /// The name of a searched convolution in the tree of children: "stem", "block0.conv1".
  static std::string place_name(std::size_t place) {
    return place == 0 ? "stem"
                      : "block" + std::to_string((place - 1) / 2) + ".conv" + std::to_string((place - 1) % 2);
  }

  /// Multiplications of all convolutions and the head for an image; `dynamic` for points at run time.
  static constexpr index_t multiply_adds_for(index_t height, index_t width) {
    // At every strided layer the rest of the network sees every second row and column.
    const auto halves = [](index_t n, index_t times) {
      for (; times > 0; --times) n = (n + 1) / 2;
      return n;
    };
    index_t sum = 0, times = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (layers::multiply_adds[i] == dynamic) return dynamic;
      if (slots[i].stride == 2) ++times;
      sum += layers::multiply_adds[i] * halves(height, times) * halves(width, times);
      const bool around = slots[i].place > 0 && slots[i].place % 2 == 0;  // the end of a block
      if (around && (slots[i].stride != 1 || slots[i - 1].in != slots[i].out))
        sum += slots[i - 1].in * slots[i].out * halves(height, times) * halves(width, times);
    }
    return nn::sum_of(sum, nn::multiply_adds<typename parts::head>);
  }

  /// Calls `visit(slot, layer)` for the layer in each searched place, in order.
  template <class Visit>
  void for_each_searched(Visit&& visit) {
    visit(parts::stem_slot, this->template at<"stem">());
    parts::for_each_block(*this, [&](auto& block) { block.for_each_searched(visit); });
  }

 protected:
  std::string title() const override { return "wide_resnet_2d"; }
};

}  // namespace fmsb::models
