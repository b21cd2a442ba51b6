// expected-error: "fmsb::adapt::vera<Rank> requires a rank of at least 1"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<0>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<1>>;
#endif
static_assert(nn::parameters<adapted> > 0);
