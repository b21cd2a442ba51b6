#include "fmsb/nn/kernels/lane_units.hpp"

#include "support/property.hpp"

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

TEST_CASE("lane units: every vector belongs to one unit, whatever the shape") {
  CHECK(test::holds("units partition the vectors", [](unsigned char b, unsigned char c) {
    for (const std::size_t lanes : {2u, 4u, 8u, 16u})
      for (const std::size_t at_least : {1u, 8u}) {
        const nn::lane_units units(b + 1u, c + 1u, lanes, at_least);
        RC_ASSERT(units.count() >= 1);
        RC_ASSERT(units.patterns <= units.vectors());
        std::vector<int> seen(units.vectors());
        for (std::size_t u = 0; u < units.count(); ++u) {
          const auto part = units.part(u);
          std::size_t many = 0;
          for (std::size_t v = part.first; v < part.last; v += units.patterns, ++many) {
            RC_ASSERT(v % units.patterns == part.pattern);
            ++seen.at(v);
          }
          if (units.chunks > 1) RC_ASSERT(many >= at_least);
        }
        for (const int times : seen) RC_ASSERT(times == 1);
        for (std::size_t v = 0; v < units.vectors(); ++v)
          for (std::size_t j = 0; j < lanes && v * lanes + j < units.rows; ++j)
            RC_ASSERT(units.channel(v % units.patterns, j) == (v * lanes + j) % units.channels);
      }
  }));
}
