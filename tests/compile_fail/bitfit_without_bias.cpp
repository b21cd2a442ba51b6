// expected-error: "this layer has no bias to train; fmsb::adapt::beft adds one and trains it"
#include "fmsb/adapt/bitfit.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4, nn::bias_term::no>, adapt::bitfit>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::bitfit>;
#endif
static_assert(nn::trainable_parameters<layer> == 4);
