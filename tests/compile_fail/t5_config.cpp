// expected-error: "fmsb::models::t5 requires sizes of at least 1"
#include "fmsb/models/t5.hpp"

using namespace fmsb;

#ifdef FAILS
constexpr models::t5_config chosen{.vocabulary = 40, .buckets = 3};
#else
constexpr models::t5_config chosen{.vocabulary = 40, .buckets = 4};
#endif
static_assert(nn::parameters<models::t5<chosen>> > 0);
