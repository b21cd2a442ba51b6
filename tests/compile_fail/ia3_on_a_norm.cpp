// expected-error: "fmsb::adapt::ia3 rescales the inputs or outputs of a linear or convolution layer"
#include "fmsb/adapt/ia3.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/rms_norm.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::rms_norm<4>, adapt::ia3<>>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::ia3<>>;
#endif
static_assert(nn::trainable_parameters<layer> == 4);
