// expected-error: "adapts a layer that is linear in its weight"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/layer_norm.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::layer_norm<4>, adapt::lora<2>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::lora<2>>;
#endif
static_assert(nn::parameters<adapted> > 0);
