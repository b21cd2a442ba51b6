// expected-error: "fmsb::space::log_uniform_integer: the integers must be positive"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::log_uniform_integer<0, 9>;
#else
using checked = space::log_uniform_integer<1, 9>;
#endif
static_assert(sizeof(checked) > 0);
