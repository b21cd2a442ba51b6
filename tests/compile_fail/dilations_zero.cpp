// expected-error: "dilations must be at least 1"
#include "fmsb/space/conv_space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::dilations<0, 1>;
#else
using checked = space::dilations<1, 2>;
#endif
static_assert(checked::size > 0);
