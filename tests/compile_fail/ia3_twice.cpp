// expected-error: "fmsb::adapt::ia3 stands on a layer once"
#include "fmsb/adapt/ia3.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::ia3<>, adapt::ia3<{.feed_forward = true}>>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::ia3<>>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
