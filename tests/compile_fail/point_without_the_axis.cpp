// expected-error: "get<Name>() asks for an axis that this point does not have"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
constexpr int rate = conv::at(1).get<"dilatoin">();
#else
constexpr int rate = conv::at(1).get<"dilation">();
#endif
static_assert(rate >= 0);
