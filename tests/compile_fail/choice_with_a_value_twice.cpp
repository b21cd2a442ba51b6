// expected-error: "the same value stands among the choices twice"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::choice<0.1, 0.2, 0.1>;
#else
using checked = space::choice<0.1, 0.2, 0.3>;
#endif
static_assert(sizeof(checked) > 0);
