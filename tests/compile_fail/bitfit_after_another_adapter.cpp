// expected-error: "fmsb::adapt::bitfit stands directly on the layer whose bias it trains; write it first"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/bitfit.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::beft, adapt::bitfit>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::bitfit, adapt::beft>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
