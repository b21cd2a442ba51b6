#include "fmsb/space/axis.hpp"     // axis
#include "fmsb/space/product.hpp"  // product

using space = fmsb::space::product<fmsb::space::axis<"kernel", 3, 5>, fmsb::space::axis<"dilation", 1, 3, 7>>;

int main() { return space::size == 6 ? 0 : 1; }
