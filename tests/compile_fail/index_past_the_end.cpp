// expected-error: "index_is_past_the_last_point_of_the_space"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
constexpr auto last = conv::at(4);
#else
constexpr auto last = conv::at(3);
#endif
static_assert(last == last);
