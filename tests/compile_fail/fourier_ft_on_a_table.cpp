// expected-error: "fmsb::adapt::fourier_ft adapts a linear layer"
#include "fmsb/adapt/fourier_ft.hpp"
#include "fmsb/nn/embedding.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using base = nn::embedding<8, 4>;
#else
using base = nn::linear<8, 4>;
#endif
static_assert(nn::parameters<nn::with<base, adapt::fourier_ft<3>>> > 0);
