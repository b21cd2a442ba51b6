#include "fmsb/core/dispatch.hpp"

#include "support/property.hpp"

#include <cstddef>  // std::size_t
#include <string>   // std::string

#include "support/doctest.hpp"

namespace {

struct counting {
  std::size_t calls = 0;
  template <std::size_t Index>
  std::size_t operator()(std::integral_constant<std::size_t, Index>) {
    ++calls;
    return Index;
  }
};

}  // namespace

TEST_CASE("dispatch calls the function once, with the index as a constant") {
  CHECK(fmsb::test::holds("dispatch<511>(i, f) calls f(constant i)", [] {
    const auto index = *rc::gen::inRange<std::size_t>(0, 511);
    counting function;
    RC_ASSERT(fmsb::dispatch<511>(index, function) == index);
    RC_ASSERT(function.calls == std::size_t{1});
  }));
}

TEST_CASE("dispatch hands a reference through and takes functions that return nothing") {
  int kept = 0;
  int& back = fmsb::dispatch<2>(1, [&](auto) -> int& { return kept; });
  CHECK(&back == &kept);
  fmsb::dispatch<2>(1, [&](auto index) { kept = static_cast<int>(index); });
  CHECK(kept == 1);
}

TEST_CASE("an index past the last choice is refused in a sentence") {
  const auto one = [](auto) { return 1; };
  CHECK_THROWS_WITH_AS(fmsb::dispatch<20>(20, one),
                       "The index 20 names none of the 20 choices. Give an index from 0 to 19.",
                       fmsb::usage_error);
  CHECK_THROWS_AS(fmsb::dispatch<1>(static_cast<std::size_t>(-1), one), fmsb::usage_error);
}
