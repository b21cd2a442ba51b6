// expected-error: "the predicate must take a point of the space and return bool"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
using checked = space::filter<conv, [](int kernel) { return (kernel > 3); }>;
#else
using checked = space::filter<conv, [](auto p) { return (space::get<"kernel">(p) > 3); }>;
#endif
static_assert(checked::size > 0);
