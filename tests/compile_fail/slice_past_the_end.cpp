// expected-error: "the slice ends past the last point of the space"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
using checked = space::slice<conv, 2, 5>;
#else
using checked = space::slice<conv, 2, 4>;
#endif
static_assert(checked::size > 0);
