// expected-error: "kernel sizes must be odd and positive"
#include "fmsb/space/conv_space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::kernel_sizes<3, 4>;
#else
using checked = space::kernel_sizes<3, 5>;
#endif
static_assert(checked::size > 0);
