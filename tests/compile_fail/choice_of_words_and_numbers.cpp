// expected-error: "the choices must be all numbers or all words"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::choice<1, "two">;
#else
using checked = space::choice<"one", "two">;
#endif
static_assert(sizeof(checked) > 0);
