#pragma once
#include "fmsb/nn/mixed_cost.hpp"     // mixed_shape, expected_milliseconds, cheapest
#include "fmsb/space/mixed_taps.hpp"  // search_space

#include <array>   // std::array
#include <cstdio>  // std::snprintf
#include <string>  // std::string, std::to_string

namespace fmsb::dash {

/// What a mixed convolution over a space is expected to cost by each of its methods, and which of them
/// `mixed_method::automatic` takes: the decision that every forward pass makes, in words.
///
/// @param shape  taps and reach are those of the space; axes say whether it is a series or an image
template <space::search_space Space>
std::string explain(nn::mixed_shape shape) {
  shape = nn::with_taps_of<Space>(shape);
  const auto taken = nn::cheapest(shape);
  std::string text = std::to_string(Space::size) + " convolutions as one of " + std::to_string(shape.taps) +
                     " taps, reaching " + std::to_string(shape.reach) + " to either side\n";
  for (const auto method : nn::mixed_methods) {
    if (!nn::can_take(method, shape)) continue;
    std::array<char, 64> line;
    std::snprintf(line.data(), line.size(), "%-9s %8.2f ms%s\n", nn::name_of(method),
                  nn::expected_milliseconds(method, shape), method == taken ? "  taken" : "");
    text += line.data();
  }
  return text;
}

}  // namespace fmsb::dash
