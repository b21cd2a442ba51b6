// expected-error: "an axis needs a name by which points are asked"
#include "fmsb/space/axis.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::axis<"", 3>;
#else
using checked = space::axis<"kernel", 3>;
#endif
static_assert(checked::size > 0);
