// expected-error: "fmsb::adapt::ada_lora<Rank> requires a rank of at least 1"
#include "fmsb/adapt/ada_lora.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

#ifdef FAILS
using adapter = adapt::ada_lora<0>;
#else
using adapter = adapt::ada_lora<1>;
#endif
static_assert(adapter::scale() > 0);
