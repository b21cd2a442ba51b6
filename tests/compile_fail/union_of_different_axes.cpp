// expected-error: "the spaces have different axes; the names and their order must agree"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
using checked = space::unite<conv, space::kernel_sizes<3>>;
#else
using checked = space::unite<conv, conv>;
#endif
static_assert(checked::size > 0);
