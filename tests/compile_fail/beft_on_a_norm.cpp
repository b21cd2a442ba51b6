// expected-error: "fmsb::adapt::beft adds a bias to a linear or convolution layer"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/rms_norm.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::rms_norm<4>, adapt::beft>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::beft>;
#endif
static_assert(nn::trainable_parameters<layer> == 4);
