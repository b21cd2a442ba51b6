// expected-error: "a product needs at least one axis or other space"
#include "fmsb/space/axis.hpp"
#include "fmsb/space/product.hpp"

namespace space = fmsb::space;

#ifdef FAILS
using checked = space::product<>;
#else
using checked = space::product<space::axis<"kernel", 3>>;
#endif
static_assert(checked::size > 0);
