// expected-error: "the standard deviation positive and finite"
#include "fmsb/space/distributions.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::normal<0.0, 0.0>;
#else
using checked = space::normal<0.0, 1.0>;
#endif
constexpr checked made{};
