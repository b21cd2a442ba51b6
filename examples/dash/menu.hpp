#pragma once
#include "family.hpp"  // family

#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

namespace driver {

/// One compiled family as the command line calls it.
struct menu_item {
  std::string backbone{}, space{};
  int depth = 0, width = 0;  ///< convolutions on the way through; channels of the first block
  std::string values{};      ///< of the space
  const family& (*get)() = nullptr;
  std::size_t least = 1;  ///< positions along each axis that the network can take
};

/// What the command line says; what is empty or 0 is the task's own.
struct network_choice {
  std::string space{}, backbone = "wrn";
  int width = 0, depth = 0;
};

/// @param task  genomics, images or arrays
/// @throws usage_error with what there is, where nothing fits
const menu_item& choose(const std::string& task, const network_choice& wanted);

/// @throws usage_error where the examples have too few positions for the network
/// @param shape  of an example: channels, then positions
void require_positions(const menu_item& network, const std::vector<std::size_t>& shape);

/// The table of the menu, for `dash networks` and for messages.
std::string menu_text();

// Each compiled on its own.
const family& sequences_wrn_16();
const family& sequences_wrn_64();
const family& sequences_unet_16();
const family& images_small_10();
const family& images_16();
const family& images_unet_25();

}  // namespace driver
