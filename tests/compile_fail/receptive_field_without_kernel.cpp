// expected-error: "have a receptive field"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

#ifdef FAILS
constexpr int field = space::receptive_field(space::dilations<1>::at(0));
#else
constexpr int field = space::receptive_field(space::kernel_sizes<1>::at(0));
#endif
static_assert(field >= 0);
