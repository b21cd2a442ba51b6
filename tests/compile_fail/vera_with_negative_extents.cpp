// expected-error: "requires shared extents of at least 1"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2, {.max_in = -1}>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2, {.max_in = 4}>>;
#endif
static_assert(nn::parameters<adapted> > 0);
