#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/align.hpp"      // alignment, aligned
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot, filling, conv_of
#include "fmsb/models/backbones/heads.hpp"      // pooled_classifier, forecast_head
#include "fmsb/models/backbones/settings.hpp"   // backbone_settings
#include "fmsb/models/backbones/shortcut.hpp"   // shortcut
#include "fmsb/nn/batch_norm.hpp"               // batch_norm
#include "fmsb/nn/composite.hpp"                // child, composite
#include "fmsb/nn/dropped.hpp"                  // dropped

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <string>       // std::string, std::to_string
#include <type_traits>  // std::conditional_t, std::type_identity
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::models {

/// What fixes a `wide_resnet_1d` besides its convolutions.
struct wide_resnet_1d_options {
  index_t in = 5;  ///< channels of the input, or `dynamic`; 5: one-hot A, T, C, G, N
  index_t classes = 2;
  index_t width = 64;    ///< channels of the first block; the others have twice as many
  index_t segments = 4;  ///< of the head, see `pooled_classifier`; 0: the released mean over all positions
  std::array<index_t, 3> kernels{9, 5, 3};  ///< of each block, where they are not searched
  shortcuts identity = shortcuts::everywhere;
  alignment align = alignment::centred;
  double norm_momentum = 0.1;  ///< share of the present batch in the running statistics
  index_t length = 0;          ///< of a series that is forecast, else 0
  index_t horizon = 0;         ///< steps of a forecast; 0: classes
  friend bool operator==(const wide_resnet_1d_options&, const wide_resnet_1d_options&) = default;

  static constexpr index_t kBlocks = 3, kLayers = 3;  ///< of a block

  constexpr index_t channels_out(index_t block) const { return block == 0 ? width : 2 * width; }
  constexpr index_t channels_in(index_t block) const { return block == 0 ? in : channels_out(block - 1); }

  /// The convolution at a place of a block.
  constexpr conv_slot slot(index_t block, index_t layer) const {
    return {.axes = 1,
            .place = kLayers * block + layer,
            .in = layer == 0 ? channels_in(block) : channels_out(block),
            .out = channels_out(block),
            .kernel = kernels[static_cast<std::size_t>(layer)]};
  }

  /// What a search may replace: the nine convolutions of the blocks.
  constexpr std::array<conv_slot, 9> slots() const {
    std::array<conv_slot, 9> all;
    for (index_t i = 0; i < kBlocks * kLayers; ++i)
      all[static_cast<std::size_t>(i)] = slot(i / kLayers, i % kLayers);
    return all;
  }
};

/// The options under which the network is that of the program released with DASH: causal when it is not a
/// supernet, without an identity around the third block, kernels 8, 5 and 3, and the mean of all positions.
constexpr wide_resnet_1d_options released(wide_resnet_1d_options of) {
  of.segments = 0;
  of.kernels = {8, 5, 3};
  of.identity = shortcuts::where_channels_change;
  of.align = alignment::causal;
  return of;
}

/// Three convolutions, each with batch norm, dropout and ReLU, and a way around them.
template <wide_resnet_1d_options C, class Filling, index_t Block>
class wide_resnet_1d_block;

namespace detail {

template <wide_resnet_1d_options C, class Filling, index_t Block>
struct wide_resnet_1d_parts {
  static constexpr index_t in = C.channels_in(Block), out = C.channels_out(Block);
  static constexpr conv_slot slot0 = C.slot(Block, 0), slot1 = C.slot(Block, 1), slot2 = C.slot(Block, 2);
  using conv0 = conv_of<Filling, slot0>;
  using conv1 = conv_of<Filling, slot1>;
  using conv2 = conv_of<Filling, slot2>;
  using norm = nn::batch_norm<1, out, nn::batch_norm_options{.momentum = C.norm_momentum}>;
  using around = shortcut<1, in, out, 1, /*Normed=*/true, C.norm_momentum>;
  using base = nn::composite<nn::child<"conv0", conv0>, nn::child<"norm0", norm>, nn::child<"conv1", conv1>,
                             nn::child<"norm1", norm>, nn::child<"conv2", conv2>, nn::child<"norm2", norm>,
                             nn::child<"shortcut", around>>;
};

}  // namespace detail

template <wide_resnet_1d_options C, class Filling, index_t Block>
class wide_resnet_1d_block : public detail::wide_resnet_1d_parts<C, Filling, Block>::base {
  using parts = detail::wide_resnet_1d_parts<C, Filling, Block>;
  using norm = typename parts::norm;
  using around = typename parts::around;

 public:
  wide_resnet_1d_block() = default;
  /// @param given  of the first convolution and the way around
  wide_resnet_1d_block(const Filling& fill, double dropout, nn::conv_extents given = {})
      : parts::base(fill.template make<parts::slot0>(given), norm(), fill.template make<parts::slot1>(),
                    norm(), fill.template make<parts::slot2>(), norm(), around(given)),
        dropout_(dropout) {}

  /// @param x  [batch, in, length]
  /// @return [batch, out, length]
  tensor forward(const tensor& x) const {
    auto y = layer<"conv0", "norm0">(x);
    y = layer<"conv1", "norm1">(y);
    y = layer<"conv2", "norm2">(y);
    if constexpr (around::keeps_shape && C.identity == shortcuts::where_channels_change)
      return y;
    else
      return y + this->template at<"shortcut">().forward(x);
  }

  template <class Visit>
  void for_each_searched(Visit&& visit) {
    visit(parts::slot0, this->template at<"conv0">());
    visit(parts::slot1, this->template at<"conv1">());
    visit(parts::slot2, this->template at<"conv2">());
  }

 protected:
  std::string title() const override { return "wide_resnet_1d_block"; }

 private:
  template <fixed_string Conv, fixed_string Norm>
  tensor layer(const tensor& x) const {
    auto y = detail::aligned<C.align>(this->template at<Conv>(), x);
    if (this->is_training()) y = nn::dropped(y, dropout_);
    return this->template at<Norm>().forward(y).relu();
  }

  double dropout_ = 0;
};

/// A residual network over one axis: three blocks of three convolutions with C.width, twice and twice as many
/// channels, at the length of the input; then classes, or a forecast. With `dash::mixed` in its places it is
/// the supernet that DASH searches for sequences (Shen et al., NeurIPS 2022, section 4.1; the blocks are
/// those of Wang, Yan and Oates, "Time Series Classification from Scratch", IJCNN 2017).
///
/// @tparam C             extents, head and quirks
/// @tparam Convolutions  what stands in the nine searched places, see backbones/conv_slot.hpp
template <wide_resnet_1d_options C, auto Convolutions = plain_convolutions>
class wide_resnet_1d;

namespace detail {

template <wide_resnet_1d_options C>
using wide_resnet_1d_head = typename std::conditional_t<
    (C.horizon > 0), std::type_identity<forecast_head<C.channels_out(2), C.length, C.horizon>>,
    std::type_identity<pooled_classifier<1, C.channels_out(2), C.classes, C.segments>>>::type;

template <wide_resnet_1d_options C, class Filling>
using wide_resnet_1d_base = nn::composite<nn::child<"block0", wide_resnet_1d_block<C, Filling, 0>>,
                                          nn::child<"block1", wide_resnet_1d_block<C, Filling, 1>>,
                                          nn::child<"block2", wide_resnet_1d_block<C, Filling, 2>>,
                                          nn::child<"head", wide_resnet_1d_head<C>>>;

}  // namespace detail

template <wide_resnet_1d_options C, auto Convolutions>
class wide_resnet_1d : public detail::wide_resnet_1d_base<C, filling<Convolutions>> {
  using fill = filling<Convolutions>;
  using base = detail::wide_resnet_1d_base<C, fill>;
  static_assert(
      detail::fits<fill, C.slots().size()>(),
      "fmsb::models::wide_resnet_1d has nine searched convolutions; the array must have a point for each");
  static_assert((C.length > 0) == (C.horizon > 0),
                "fmsb::models::wide_resnet_1d: a forecast needs both the length of a series and a horizon");

 public:
  /// The same backbone with something else in its places.
  template <auto Others>
  using with = wide_resnet_1d<C, Others>;
  using space_type = detail::space_of<fill>;  ///< that a search chooses from; void where there is none
  static constexpr auto options = C;
  static constexpr auto slots = C.slots();  ///< what a search may replace
  static constexpr int spatial_axes = 1;
  using layers = layer_counts<fill, slots>;  ///< of the searched layers: fields, multiply_adds, parameters
  /// Positions that a number before the head sees; `dynamic` for points at run time.
  static constexpr index_t receptive_field = field_through<slots>(layers::fields);

  wide_resnet_1d() = default;
  /// @throws usage_error for channels or classes that neither says, or on which type and settings differ
  explicit wide_resnet_1d(const backbone_settings& given) requires(!detail::chosen_when_built<fill>)
      : wide_resnet_1d(fill(), given) {}
  /// @param points  for `points_at_run_time`: of each searched convolution the index of its point
  /// @throws usage_error unless there is one for each, in the space, or as above
  explicit wide_resnet_1d(std::vector<std::size_t> points,
                          const backbone_settings& given = {}) requires detail::chosen_when_built<fill>
      : wide_resnet_1d(detail::with_points<fill>("wide_resnet_1d", std::move(points), slots.size()), given) {}

  /// @param x  [batch, in, length]
  /// @return [batch, classes], or [batch, horizon]
  tensor forward(const tensor& x) const {
    auto y = this->template at<"block0">().forward(x);
    y = this->template at<"block1">().forward(y);
    y = this->template at<"block2">().forward(y);
    return this->template at<"head">().forward(y);
  }

  /// The name of a searched convolution in the tree of children: "block0.conv2".
  static std::string place_name(std::size_t place) {
    return "block" + std::to_string(place / 3) + ".conv" + std::to_string(place % 3);
  }

  /// Multiplications of all convolutions and the head for a sequence; `dynamic` for points at run time.
  static constexpr index_t multiply_adds_for(index_t length) {
    const auto blocks = nn::sum_of(nn::multiply_adds<typename base::template child_type<"block0">>,
                                   nn::multiply_adds<typename base::template child_type<"block1">>,
                                   nn::multiply_adds<typename base::template child_type<"block2">>);
    return nn::sum_of(nn::product_of(blocks, length),
                      base::template child_type<"head">::multiply_adds_for(length));
  }

  /// Calls `visit(slot, layer)` for the layer in each searched place, in order.
  template <class Visit>
  void for_each_searched(Visit&& visit) {
    this->template at<"block0">().for_each_searched(visit);
    this->template at<"block1">().for_each_searched(visit);
    this->template at<"block2">().for_each_searched(visit);
  }

 protected:
  std::string title() const override { return "wide_resnet_1d"; }

 private:
  wide_resnet_1d(const fill& places, const backbone_settings& given)
      : base(wide_resnet_1d_block<C, fill, 0>(places, given.dropout, {.in = given.in}),
             wide_resnet_1d_block<C, fill, 1>(places, given.dropout),
             wide_resnet_1d_block<C, fill, 2>(places, given.dropout),
             detail::wide_resnet_1d_head<C>(given.classes)) {}
};

}  // namespace fmsb::models
