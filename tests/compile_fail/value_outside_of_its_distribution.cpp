// expected-error: "value_is_outside_of_the_distribution"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
constexpr space::uniform<0.0, 1.0> share = 1.5;
#else
constexpr space::uniform<0.0, 1.0> share = 0.5;
#endif
static_assert(share > 0);
