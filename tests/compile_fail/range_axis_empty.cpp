// expected-error: "the range is empty, for its first value is above its last"
#include "fmsb/space/axis.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::range_axis<"width", 9, 8>;
#else
using checked = space::range_axis<"width", 8, 9>;
#endif
static_assert(checked::size > 0);
