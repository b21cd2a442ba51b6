#pragma once
#include "options.hpp"  // options
#include "results.hpp"  // results

namespace auto_ar {

/// Reads, checks, chooses, refits and scores. The only file of this program that sees LibTorch.
/// @throws fmsb::usage_error, fmsb::data_error
results run(const options& wanted);

}  // namespace auto_ar
