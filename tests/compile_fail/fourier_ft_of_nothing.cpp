// expected-error: "requires at least one entry"
#include "fmsb/adapt/fourier_ft.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::fourier_ft<0>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::fourier_ft<1>>;
#endif
static_assert(nn::parameters<adapted> > 0);
