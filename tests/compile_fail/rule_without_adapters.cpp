// expected-error: "fmsb::adapt::rule: name at least one child and one adapter"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/plan.hpp"

using namespace fmsb;

#ifdef FAILS
using line = adapt::rule<adapt::names<"q">>;
#else
using line = adapt::rule<adapt::names<"q">, adapt::beft>;
#endif
static_assert(line::patterns::match("q"));
