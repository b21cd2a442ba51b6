// expected-error: "two of the spaces have an axis of the same name"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::product<space::dilations<1>, space::dilations<2>>;
#else
using checked = space::product<space::kernel_sizes<1>, space::dilations<2>>;
#endif
static_assert(checked::size > 0);
