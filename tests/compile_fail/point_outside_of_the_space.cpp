// expected-error: "point_is_not_in_the_space"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
constexpr auto index = conv::index({{4, 1}});
#else
constexpr auto index = conv::index({{5, 1}});
#endif
static_assert(index < conv::size);
