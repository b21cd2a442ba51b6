// A space of 10,000 points: made, inverted, filtered, walked and described.
#include "fmsb/space/axis.hpp"
#include "fmsb/space/filter.hpp"
#include "fmsb/space/product.hpp"

namespace space = fmsb::space;

using wide =
    space::product<space::range_axis<"width", 1, 10>, space::axis<"depth", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10>,
                   space::range_axis<"kernel", 3, 21, 2>, space::range_axis<"rank", 1, 10>>;
static_assert(wide::size == 10'000);
static_assert(wide::index(wide::at(9'999)) == 9'999);

using small = space::filter<wide, [](auto p) {
  return space::get<"width">(p) * space::get<"depth">(p) * space::get<"kernel">(p) <= 200;
}>;
static_assert(small::size < wide::size && small::index(small::at(small::size - 1)) == small::size - 1);

int total() {
  int sum = 0;
  for (const auto p : small::points()) sum += space::get<"rank">(p);
  return sum;
}
fmsb::fingerprint described() { return fmsb::fingerprint_of<small>; }
