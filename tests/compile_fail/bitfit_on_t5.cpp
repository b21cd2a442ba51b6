// expected-error: "this layer has no bias to train; fmsb::adapt::beft adds one and trains it"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/bitfit.hpp"
#include "fmsb/models/t5.hpp"

using namespace fmsb;

#ifdef FAILS
using bias = adapt::bitfit;
#else
using bias = adapt::beft;
#endif
using model = models::t5<models::chronos_t5_tiny, adapt::plan<adapt::rule<adapt::names<"v">, bias>>>;
static_assert(nn::trainable_parameters<model> == 3'072);
