// expected-error: "requires a dropout from 0 up to"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::lora<2, {.dropout = 1}>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::lora<2, {.dropout = 0.5}>>;
#endif
static_assert(nn::parameters<adapted> > 0);
