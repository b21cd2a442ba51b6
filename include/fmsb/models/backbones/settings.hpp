#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // dynamic, index_t
#include "fmsb/data/labelled.hpp"  // labelled_set

namespace fmsb::models {

/// What a backbone is given when it is built. What its type fixes may stay `dynamic` here; where both say
/// something, they must agree.
struct backbone_settings {
  index_t in = dynamic;       ///< channels of the input
  index_t classes = dynamic;  ///< outputs
  double dropout = 0;         ///< rate in training, where the backbone has it
};

/// Channels and classes of labelled examples.
/// @throws usage_error unless they have the shape {channels, length} or {channels, height, width}
inline backbone_settings settings_for(const data::labelled_set& of) {
  if (of.shape().size() < 2)
    throw usage_error("fmsb::models::settings_for: " + of.name() +
                      " holds rows of numbers; a backbone takes {channels, length} or {channels, height, "
                      "width}.");
  return {.in = static_cast<index_t>(of.shape()[0]), .classes = static_cast<index_t>(of.classes_count())};
}

}  // namespace fmsb::models
