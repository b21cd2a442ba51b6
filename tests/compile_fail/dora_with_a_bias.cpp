// expected-error: "fmsb::adapt::dora has no bias in its branch"
#include "fmsb/adapt/dora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::dora<2, {.bias = true}>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::dora<2>>;
#endif
static_assert(nn::parameters<adapted> > 0);
