// expected-error: "fmsb::adapt::dora adapts a linear or convolution layer"
#include "fmsb/adapt/dora.hpp"
#include "fmsb/nn/embedding.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::embedding<4, 4>, adapt::dora<2>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::dora<2>>;
#endif
static_assert(nn::parameters<adapted> > 0);
