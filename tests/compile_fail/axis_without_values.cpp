// expected-error: "an axis needs at least one value"
#include "fmsb/space/axis.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::axis<"kernel">;
#else
using checked = space::axis<"kernel", 3>;
#endif
constexpr checked made{};
