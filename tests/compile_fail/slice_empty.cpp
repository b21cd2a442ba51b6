// expected-error: "the slice is empty, and a space needs at least one point"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
using checked = space::slice<conv, 2, 2>;
#else
using checked = space::slice<conv, 2, 3>;
#endif
static_assert(checked::size > 0);
