#pragma once
// The torch-free lower half in one include: spaces, points and hyper-parameters with what they stand on.
// JSON and command lines stand apart, for their libraries cost a second each to compile:
// fmsb/space/hyper_parameters_json.hpp and fmsb/space/hyper_parameters_cli.hpp.

#include "fmsb/core/constant_text.hpp"
#include "fmsb/core/dispatch.hpp"
#include "fmsb/core/elementary.hpp"
#include "fmsb/core/error.hpp"
#include "fmsb/core/extent.hpp"
#include "fmsb/core/fingerprint.hpp"
#include "fmsb/core/fixed_string.hpp"
#include "fmsb/core/number_text.hpp"
#include "fmsb/core/random_bits.hpp"
#include "fmsb/space/ar_space.hpp"
#include "fmsb/space/axis.hpp"
#include "fmsb/space/conv_space.hpp"
#include "fmsb/space/distributions.hpp"
#include "fmsb/space/filter.hpp"
#include "fmsb/space/hyper_parameters.hpp"
#include "fmsb/space/mixed_taps.hpp"
#include "fmsb/space/point.hpp"
#include "fmsb/space/product.hpp"
#include "fmsb/space/slice.hpp"
#include "fmsb/space/space.hpp"
#include "fmsb/space/unite.hpp"
