#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot
#include "fmsb/nn/counts.hpp"                   // sum_of, product_of

#include <array>    // std::array
#include <cstddef>  // std::size_t

namespace fmsb::models {

/// What lies before a place of a backbone that pools or interpolates between its convolutions, in positions
/// of the network's input along an axis.
struct resampling {
  index_t step = 1;   ///< that one step of the place's input is
  index_t wider = 0;  ///< that it adds to what an output sees
};

}  // namespace fmsb::models

namespace fmsb::models::detail {

/// The double convolutions of a UNet: five on the way down, four on the way up; two places each.
inline constexpr std::size_t kUnetBlocks = 9, kUnetPlaces = 18;
inline constexpr index_t kUnetLevels = 5;

/// How often the signal has been halved where a block stands: 0, 1, 2, 3, 4, 3, 2, 1, 0.
constexpr index_t unet_level(std::size_t block) {
  const auto b = static_cast<index_t>(block);
  return b < kUnetLevels ? b : 2 * (kUnetLevels - 1) - b;
}

/// Input, middle and output channels of a block.
struct unet_widths {
  index_t in, middle, out;
};

constexpr std::array<conv_slot, kUnetPlaces> unet_slots(int axes, index_t kernel,
                                                        const std::array<unet_widths, kUnetBlocks>& widths) {
  std::array<conv_slot, kUnetPlaces> all;
  for (std::size_t i = 0; i < kUnetPlaces; ++i) {
    const auto& w = widths[i / 2];
    all[i] = {.axes = axes,
              .place = static_cast<index_t>(i),
              .in = i % 2 == 0 ? w.in : w.middle,
              .out = i % 2 == 0 ? w.middle : w.out,
              .kernel = kernel};
  }
  return all;
}

/// What the way through the bottom, the widest, meets before a place.
/// @param up  what one step up adds, in positions of the lower level
constexpr resampling unet_before(std::size_t place, index_t up) {
  const std::size_t block = place / 2;
  const index_t level = unet_level(block), step = index_t{1} << level;
  if (place % 2 != 0 || block == 0) return {.step = step};
  return {.step = step,
          .wider = level > unet_level(block - 1) ? step / 2 : up * 2 * step};  // pooling sees two
}

/// Positions of the input that an output sees by the widest path.
/// @param fields  of the layers in all places
/// @param up      as `unet_before`
constexpr index_t unet_field(const std::array<index_t, kUnetPlaces>& fields, index_t up) {
  index_t span = 1;
  for (std::size_t i = 0; i < kUnetPlaces; ++i) {
    if (fields[i] == dynamic) return dynamic;
    const auto before = unet_before(i, up);
    span += (fields[i] - 1) * before.step + before.wider;
  }
  return span;
}

/// Positions on a level; each step down keeps half, without a rest.
constexpr index_t unet_positions(index_t length, index_t level) { return length >> level; }

}  // namespace fmsb::models::detail
