// expected-error: "fmsb::adapt::bank stands directly on a linear or convolution layer"
#include "fmsb/adapt/bank.hpp"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using layer = nn::with<nn::linear<4, 4>, adapt::beft, adapt::bank<adapt::lora<2>>>;
#else
using layer = nn::with<nn::linear<4, 4>, adapt::bank<adapt::lora<2>>, adapt::beft>;
#endif
static_assert(nn::parameters<layer> == dynamic);
