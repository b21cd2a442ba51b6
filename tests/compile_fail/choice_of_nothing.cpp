// expected-error: "there must be at least one value to choose"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::choice<>;
#else
using checked = space::choice<1>;
#endif
static_assert(sizeof(checked) > 0);
