// expected-error: "requires a rank of at least 1"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::lora<0>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::lora<1>>;
#endif
static_assert(nn::parameters<adapted> > 0);
