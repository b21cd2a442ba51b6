// expected-error: "fmsb::adapt::norm_tuning stands directly on a norm with numbers to train"
#include "fmsb/adapt/norm_tuning.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/rms_norm.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::norm_tuning>;
#else
using layer = nn::with<nn::rms_norm<4>, adapt::norm_tuning>;
#endif
static_assert(nn::trainable_parameters<layer> > 0);
