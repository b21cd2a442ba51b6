// expected-error: "fmsb::adapt::ada_lora stands on a layer without lora, dora or another ada_lora"
#include "fmsb/adapt/ada_lora.hpp"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::lora<2>, adapt::ada_lora<2>>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::ada_lora<2>>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
