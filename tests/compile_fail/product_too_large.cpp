// expected-error: "the product has more points than a std::size_t can count"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::product<space::range_axis<"a", 1, 2'000'000'000>,
                               space::range_axis<"b", 1, 2'000'000'000>, space::range_axis<"c", 1, 9>>;
#else
using checked =
    space::product<space::range_axis<"a", 1, 2'000'000'000>, space::range_axis<"b", 1, 2'000'000'000>>;
#endif
static_assert(checked::size > 0);
