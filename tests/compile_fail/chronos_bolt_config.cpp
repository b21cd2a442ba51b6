// expected-error: "fmsb::models::chronos_bolt requires sizes of at least 1"
#include "fmsb/models/chronos_bolt.hpp"

using namespace fmsb;

#ifdef FAILS
constexpr models::chronos_bolt_config chosen{.quantiles = {.5, .1}};
#else
constexpr models::chronos_bolt_config chosen{.quantiles = {.1, .5}};
#endif
static_assert(nn::parameters<models::chronos_bolt<chosen>> > 0);
