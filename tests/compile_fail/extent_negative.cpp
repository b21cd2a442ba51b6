// expected-error: "an extent is a size from 0 on, or fmsb::dynamic"
#include "fmsb/core/extent.hpp"

#ifdef FAILS
using checked = fmsb::extent<-2>;
#else
using checked = fmsb::extent<fmsb::dynamic>;
#endif
static_assert(checked::is_dynamic);
