// expected-error: "this point has other axes than the space that is asked about it"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
constexpr auto index = conv::index(space::kernel_sizes<3>::at(0));
#else
constexpr auto index = conv::index(conv::at(0));
#endif
static_assert(index == 0);
