// expected-error: "fmsb::adapt::beft stands on a layer once"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::beft, adapt::beft>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::beft>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
