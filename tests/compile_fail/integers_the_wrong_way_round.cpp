// expected-error: "the first integer must be below the last"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::uniform_integer<9, 1>;
#else
using checked = space::uniform_integer<1, 9>;
#endif
static_assert(sizeof(checked) > 0);
