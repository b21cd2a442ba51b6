// Facts about core/ that hold if this file compiles, under g++ and clang alike.
#include "fmsb/core/constant_text.hpp"
#include "fmsb/core/dispatch.hpp"
#include "fmsb/core/elementary.hpp"
#include "fmsb/core/extent.hpp"
#include "fmsb/core/fingerprint.hpp"
#include "fmsb/core/fixed_string.hpp"
#include "fmsb/core/random_bits.hpp"

#include <array>        // std::array
#include <cstdint>      // std::uint64_t
#include <type_traits>  // std::is_empty_v

namespace {

using namespace fmsb;

// text as a template argument
template <fixed_string Name>
struct named {
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, "<");
    write(out, Name.view());
    write(out, ">");
  }
};
static_assert(fixed_string("kernel").size() == 6);
static_assert(fixed_string("kernel").view() == "kernel");
static_assert(fixed_string("a") == fixed_string("a") && fixed_string("a") != fixed_string("ab"));
static_assert(std::is_same_v<named<"x">, named<"x">> && !std::is_same_v<named<"x">, named<"y">>);

// numbers in words: both ends of the range
template <std::int64_t Number>
struct counted {
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write_integer(out, Number);
  }
};
static_assert(text_of<counted<0>>.view() == "0");
static_assert(text_of<counted<-17>>.view() == "-17");
static_assert(text_of<counted<INT64_MIN>>.view() == "-9223372036854775808");
static_assert(text_of<counted<INT64_MAX>>.view() == "9223372036854775807");

// FNV-1a: the test vectors of its authors
static_assert(hash_of("") == 0xcbf29ce484222325u);
static_assert(hash_of("a") == 0xaf63dc4c8601ec8cu);
static_assert(hash_of("foobar") == 0x85944171f73967e8u);

static_assert(fingerprint_of<named<"x">>.text == "<x>");
static_assert(fingerprint_of<named<"x">>.hash == hash_of("<x>"));
static_assert(fingerprint_of<named<"x">> == fingerprint("<x>"));
static_assert(fingerprint_of<named<"x">> != fingerprint_of<named<"y">>);

// an extent takes room only where the run decides it
static_assert(std::is_empty_v<extent<4>> && !std::is_empty_v<extent<dynamic>>);
static_assert(extent<4>{} == 4 && extent<4>{4} == 4 && extent<dynamic>{7} == 7);
static_assert(!extent<4>::is_dynamic && extent<dynamic>::is_dynamic);

// dispatch reaches every index, in constant expressions too, beyond clang's 256 folded operands
static_assert([] {
  for (std::size_t i = 0; i < 300; ++i)
    if (dispatch<300>(i, [](auto index) { return std::size_t{index} * std::size_t{index}; }) != i * i)
      return false;
  return true;
}());
static_assert([] {
  std::array<int, 3> called{};
  dispatch<3>(2, [&](auto index) { ++called[index]; });
  return called == std::array{0, 0, 1};
}());

// a stream is a constant of seed and number
static_assert(random_bits(1)() == random_bits(1)());
static_assert(random_bits(1)() != random_bits(2)());
static_assert(random_bits(1, 0)() != random_bits(1, 1)());
static_assert(random_bits(0, 0)() == 0xf5dd724ff3b8a536u);

// a number strictly between 0 and 1 whatever the bits are
template <std::uint64_t Bits>
struct always {
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }
  constexpr std::uint64_t operator()() { return Bits; }
};
constexpr double unit_of(auto bits) { return unit_interval(bits); }
static_assert(unit_of(always<0>{}) > 0 && unit_of(always<~std::uint64_t{0}>{}) < 1);
static_assert(unit_of(always<std::uint64_t{1} << 63>{}) == 0.5 + 0x1p-53);

// exact where the answer is
static_assert(elementary::exp(0) == 1 && elementary::log(1) == 0 && elementary::sqrt(0) == 0);
static_assert(elementary::sqrt(4) == 2 && elementary::sqrt(0x1p-1074 * 4) == 0x1p-536);
static_assert(elementary::log(2) == 0x1.62e42fefa39efp-1);
static_assert(elementary::exp(1) >= 0x1.5bf0a8b145769p+1 && elementary::exp(1) <= 0x1.5bf0a8b14576ap+1);
static_assert(elementary::exp(1000) == elementary::infinity && elementary::exp(-1000) == 0);
static_assert(elementary::log(0) == -elementary::infinity);
static_assert(elementary::log(-1) != elementary::log(-1) && elementary::sqrt(-1) != elementary::sqrt(-1));

}  // namespace
