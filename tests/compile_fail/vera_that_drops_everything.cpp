// expected-error: "fmsb::adapt::vera requires a dropout from 0"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2, {.dropout = 1}>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2, {.dropout = 0.5}>>;
#endif
static_assert(nn::parameters<adapted> > 0);
