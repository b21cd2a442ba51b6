// expected-error: "dispatch_index_is_past_the_last_choice"
#include "fmsb/core/dispatch.hpp"

#ifdef FAILS
constexpr auto chosen = fmsb::dispatch<3>(3, [](auto index) { return index() + 1; });
#else
constexpr auto chosen = fmsb::dispatch<3>(2, [](auto index) { return index() + 1; });
#endif
static_assert(chosen == 3);
