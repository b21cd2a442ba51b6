// 511 lookbacks and two degrees of differencing, each reached from a run-time index as a type of its own.
#include "fmsb/space/ar_space.hpp"
#include "fmsb/space/product.hpp"

namespace space = fmsb::space;

using orders = space::product<space::lookbacks<1, 511>, space::differencing<0, 1>>;
static_assert(orders::size == 1022);

int inputs_of(std::size_t index) {
  return space::visit<orders>(
      index, []<auto Point>(space::constant<Point>) { return space::inputs(Point); });
}
