// expected-error: "an autoregression reads at least one past value"
#include "fmsb/space/ar_space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::lookbacks<0, 511>;
#else
using checked = space::lookbacks<1, 511>;
#endif
static_assert(checked::size > 0);
