// expected-error: "the step must be at least 1"
#include "fmsb/space/axis.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::range_axis<"width", 1, 9, 0>;
#else
using checked = space::range_axis<"width", 1, 9, 2>;
#endif
static_assert(checked::size > 0);
