// expected-error: "the function returns different types for different indices"
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

#ifdef FAILS
auto of(std::size_t index) {
  return space::visit<conv>(index, [](auto point) {
    if constexpr (space::get<"kernel">(point()) == 3)
      return 3;
    else
      return 5.0;
  });
}
#else
auto of(std::size_t index) {
  return space::visit<conv>(index, [](auto point) { return space::get<"kernel">(point()); });
}
#endif
