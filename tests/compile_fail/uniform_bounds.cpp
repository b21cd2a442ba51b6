// expected-error: "fmsb::space::uniform: the bounds must be finite, the lower one first"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::uniform<1.0, 0.0>;
#else
using checked = space::uniform<0.0, 1.0>;
#endif
constexpr checked made{};
