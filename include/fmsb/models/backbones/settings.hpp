#pragma once
#include "fmsb/core/extent.hpp"  // dynamic, index_t

namespace fmsb::models {

/// What a backbone is given when it is built. What its type fixes may stay `dynamic` here; where both say
/// something, they must agree.
struct backbone_settings {
  index_t in = dynamic;       ///< channels of the input
  index_t classes = dynamic;  ///< outputs
  double dropout = 0;         ///< rate in training, where the backbone has it
};

}  // namespace fmsb::models
