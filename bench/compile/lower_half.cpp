// The whole lower half in one include, and a little use of each part.
#include "fmsb/space.hpp"

namespace space = fmsb::space;

using conv = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
using narrow = space::filter<conv, [](auto p) { return space::receptive_field(p) <= 21; }>;
static_assert(space::taps<conv>.size() == 35);
static_assert(narrow::index(narrow::at(4)) == 4);

struct settings {
  space::log_uniform<1e-5, 0.5> lr;
  space::choice<0.0, 0.05, 0.1> dropout;
  space::uniform_integer<1, 64> batch;
};

int kernel_of(std::size_t index) {
  return space::visit<conv>(
      index, []<auto Point>(space::constant<Point>) { return space::get<"kernel">(Point); });
}
std::string drawn(std::uint64_t seed) { return space::to_string(space::sample<settings>(seed, 0)); }
std::string name() { return to_string(fmsb::fingerprint_of<narrow>); }
