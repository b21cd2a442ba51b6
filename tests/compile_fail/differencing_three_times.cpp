// expected-error: "a series is differenced 0, 1 or 2 times"
#include "fmsb/space/ar_space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::differencing<0, 3>;
#else
using checked = space::differencing<0, 2>;
#endif
static_assert(checked::size > 0);
