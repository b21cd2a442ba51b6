// expected-error: "requires a weight of at least N numbers"
#include "fmsb/adapt/fourier_ft.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using adapted = nn::with<nn::linear<4, 4>, adapt::fourier_ft<17>>;
#else
using adapted = nn::with<nn::linear<4, 4>, adapt::fourier_ft<16>>;
#endif
static_assert(nn::parameters<adapted> > 0);
