#pragma once
#include "fmsb/train/examples.hpp"  // augmentation

#include <string>  // std::string
#include <vector>  // std::vector

namespace driver {

/// Changes of a batch by their names: reverse-complement, mirror, shift=N, hide=X. Nothing for none.
/// @throws fmsb::usage_error for another word
fmsb::train::augmentation augmentation_of(const std::vector<std::string>& words);

}  // namespace driver
