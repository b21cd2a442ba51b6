// expected-error: "fmsb::adapt::vera adapts a linear layer"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/embedding.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::embedding<4, 4>, adapt::vera<2>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::vera<2>>;
#endif
static_assert(nn::parameters<adapted> > 0);
