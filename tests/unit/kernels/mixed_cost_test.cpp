#include "fmsb/nn/mixed_cost.hpp"

#include "fmsb/search/dash/explain.hpp"
#include "fmsb/space/product.hpp"  // product

#include "support/property.hpp"

#include <string>  // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using nn::mixed_method;
using nn::mixed_shape;

namespace {

using row_space = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;

// The choice is made by the compiler where the shape is known to it.
constexpr mixed_shape rows = nn::with_taps_of<row_space>(
    {.batch = 32, .in = 64, .out = 64, .groups = nn::depthwise, .positions = {1, 512}});
static_assert(rows.taps == 35 && rows.reach == 35);
static_assert(nn::can_take(nn::cheapest(rows), rows));

constexpr mixed_shape images = nn::with_taps_of<row_space>(
    {.batch = 16, .in = 32, .out = 32, .groups = nn::depthwise, .positions = {32, 32}, .axes = 2});
static_assert(nn::cheapest(images) == mixed_method::spectrum, "hundreds of taps");
static_assert(!nn::can_take(mixed_method::direct, images));
static_assert(
    nn::cheapest({.batch = 32, .in = 64, .out = 64, .positions = {1, 512}, .taps = 35, .reach = 35}) ==
        mixed_method::spectrum,
    "all channels see all");

mixed_shape drawn_shape() {
  const index_t channels = *rc::gen::inRange<index_t>(1, 300);
  const bool alone = *rc::gen::arbitrary<bool>();
  const int axes = *rc::gen::inRange(1, 3);
  const mixed_shape of{
      .batch = *rc::gen::inRange<index_t>(1, 200),
      .in = channels,
      .out = alone ? channels : *rc::gen::inRange<index_t>(1, 300),
      .groups = alone ? nn::depthwise : 1,
      .positions = {axes == 1 ? 1 : *rc::gen::inRange<index_t>(1, 100), *rc::gen::inRange<index_t>(1, 500)},
      .axes = axes};
  return nn::with_taps_of<row_space>(of);
}

}  // namespace

TEST_CASE(
    "mixed cost: the choice is a method that can take the shape, and none that can is expected to be "
    "faster") {
  CHECK(test::holds("the choice is the cheapest", [] {
    const auto shape = drawn_shape();
    const auto taken = nn::cheapest(shape);
    RC_ASSERT(nn::can_take(taken, shape));
    for (const auto other : nn::mixed_methods)
      if (nn::can_take(other, shape))
        RC_ASSERT(nn::expected_milliseconds(taken, shape) <= nn::expected_milliseconds(other, shape));
  }));
}

TEST_CASE("mixed cost: no method gets cheaper by a larger batch") {
  CHECK(test::holds("time grows with the batch", [] {
    auto shape = drawn_shape();
    const auto method = *rc::gen::elementOf(nn::mixed_methods);
    const double before = nn::expected_milliseconds(method, shape);
    shape.batch *= 2;
    RC_ASSERT(nn::expected_milliseconds(method, shape) >= before);
  }));
}

TEST_CASE("mixed cost: more taps make the direct method dearer and leave the transforms as they are") {
  auto more = rows;
  more.taps *= 2;
  CHECK(nn::expected_milliseconds(mixed_method::direct, more) >
        1.2 * nn::expected_milliseconds(mixed_method::direct, rows));
  CHECK(nn::expected_milliseconds(mixed_method::spectrum, more) ==
        nn::expected_milliseconds(mixed_method::spectrum, rows));
}

TEST_CASE("mixed cost: explain tells what each method is expected to cost and which is taken") {
  const auto text = dash::explain<row_space>(rows);
  CHECK(text.starts_with("20 convolutions as one of 35 taps, reaching 35 to either side\n"));
  for (const auto method : nn::mixed_methods) CHECK(text.find(nn::name_of(method)) != text.npos);
  const auto taken = text.find("taken");
  REQUIRE(taken != text.npos);
  CHECK(text.find("taken", taken + 1) == text.npos);
  CHECK(text.rfind(nn::name_of(nn::cheapest(rows)), taken) > text.rfind('\n', taken));
  CHECK(dash::explain<row_space>(images).find("direct") == std::string::npos);
}
