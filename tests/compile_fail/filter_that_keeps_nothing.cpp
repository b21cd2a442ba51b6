// expected-error: "the predicate rejects every point, and a space needs at least one"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
using checked = space::filter<conv, [](auto p) { return (space::receptive_field(p) > 100); }>;
#else
using checked = space::filter<conv, [](auto p) { return (space::receptive_field(p) > 10); }>;
#endif
static_assert(checked::size > 0);
