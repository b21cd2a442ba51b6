// expected-error: "this layer is wider than the shared matrices"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;
#ifdef FAILS
using base = nn::linear<9, 4>;
#else
using base = nn::linear<8, 4>;
#endif
static_assert(nn::parameters<nn::with<base, adapt::vera<2, {.max_in = 8, .max_out = 8}>>> > 0);
