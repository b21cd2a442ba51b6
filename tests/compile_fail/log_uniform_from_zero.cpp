// expected-error: "fmsb::space::log_uniform: the bounds must be positive and finite"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::log_uniform<0.0, 1.0>;
#else
using checked = space::log_uniform<1e-9, 1.0>;
#endif
static_assert(sizeof(checked) > 0);
