#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot
#include "fmsb/nn/counts.hpp"                   // sum_of, product_of

#include <array>    // std::array
#include <cstddef>  // std::size_t

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

/// Positions of the input that an output sees by the widest path, which is the one through the bottom.
/// @param fields  of the layers in all places
/// @param up      what one step up adds, in positions of the lower level
constexpr index_t unet_field(const std::array<index_t, kUnetPlaces>& fields, index_t up) {
  index_t span = 1;
  for (std::size_t i = 0; i < kUnetPlaces; ++i) {
    if (fields[i] == dynamic) return dynamic;
    const index_t level = unet_level(i / 2);
    span += (fields[i] - 1) << level;
    if (i % 2 == 0 && i / 2 > 0 && i / 2 < kUnetLevels) span += index_t{1} << (level - 1);  // pooling two
    if (i % 2 == 0 && i / 2 >= kUnetLevels) span += up << (level + 1);
  }
  return span;
}

/// Positions on a level; each step down keeps half, without a rest.
constexpr index_t unet_positions(index_t length, index_t level) { return length >> level; }

}  // namespace fmsb::models::detail
