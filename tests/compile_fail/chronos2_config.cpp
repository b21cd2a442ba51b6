// expected-error: "fmsb::models::chronos2 requires sizes of at least 1, an even key_width"
#include "fmsb/models/chronos2.hpp"

using namespace fmsb;

#ifdef FAILS
constexpr models::chronos2_config chosen{.key_width = 7, .quantiles = {.1, .5, .9}};
#else
constexpr models::chronos2_config chosen{.key_width = 6, .quantiles = {.1, .5, .9}};
#endif
static_assert(nn::parameters<models::chronos2<chosen>> > 0);
