// expected-error: "it must be the first adapter on a layer"
#include "fmsb/adapt/dora.hpp"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2>, adapt::dora<2>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::dora<2>, adapt::vera<2>>;
#endif
static_assert(nn::parameters<adapted> > 0);
