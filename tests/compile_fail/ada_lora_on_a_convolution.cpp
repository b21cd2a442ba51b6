// expected-error: "fmsb::adapt::ada_lora adapts linear layers; fmsb::adapt::lora adapts convolutions"
#include "fmsb/adapt/ada_lora.hpp"
#include "fmsb/nn/conv.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::conv1d<4, 4, 3>, adapt::ada_lora<2>>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::ada_lora<2>>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
