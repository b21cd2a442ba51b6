// expected-error: "the same value stands on the axis twice"
#include "fmsb/space/axis.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::axis<"kernel", 3, 5, 3>;
#else
using checked = space::axis<"kernel", 3, 5, 7>;
#endif
static_assert(checked::size > 0);
