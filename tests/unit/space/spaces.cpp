#include "fmsb/space.hpp"

#include "support/property.hpp"

#include <range/v3/algorithm/equal.hpp>  // ranges::equal
#include <range/v3/view/filter.hpp>      // ranges::views::filter
#include <range/v3/view/subrange.hpp>    // ranges::make_subrange

#include <algorithm>  // std::ranges::is_sorted
#include <set>        // std::set
#include <string>     // std::string
#include <vector>     // std::vector

#include "support/doctest.hpp"

namespace {

namespace space = fmsb::space;
using fmsb::test::holds;

using conv = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
using orders = space::product<space::lookbacks<1, 511>, space::differencing<0, 1>>;

struct narrow_enough {
  constexpr bool operator()(const conv::point_type& p) const { return space::receptive_field(p) <= 21; }
};
using narrow = space::filter<conv, narrow_enough{}>;
using overlapping = space::unite<space::slice<conv, 0, 12>, space::slice<conv, 8, 16>, narrow>;
using nested = space::product<narrow, space::range_axis<"width", 16, 64, 16>>;

template <class Function>
void for_each_space(Function&& function) {
  function.template operator()<space::axis<"scrambled", 5, -2, 9, 0>>();
  function.template operator()<space::lookbacks<8, 64, 7>>();
  function.template operator()<conv>();
  function.template operator()<orders>();
  function.template operator()<narrow>();
  function.template operator()<space::slice<orders, 100, 900>>();
  function.template operator()<overlapping>();
  function.template operator()<nested>();
}

}  // namespace

TEST_CASE("at and index are inverse on every space") {
  for_each_space([]<class Space>() {
    CHECK(holds("index(at(i)) == i", [] {
      const auto i = *rc::gen::inRange<std::size_t>(0, std::size_t{Space::size});
      const auto p = Space::at(i);
      RC_ASSERT(Space::index(p) == i);
      RC_ASSERT(Space::at(Space::index(p)) == p);
    }));
  });
}

TEST_CASE("a space contains exactly its points") {
  for_each_space([]<class Space>() {
    std::set<std::string> texts;
    for (const auto p : Space::points()) texts.insert(to_string(p));
    CHECK(texts.size() == Space::size);
    CHECK(holds("contains(p) as the list of points says", [&] {
      typename Space::point_type p;
      for (int& value : p.values) value = *rc::gen::inRange(-3, 20);
      RC_ASSERT(Space::contains(p) == texts.contains(to_string(p)));
    }));
  });
}

TEST_CASE("a product's index is the place among the nested loops, the last axis innermost") {
  std::size_t i = 0;
  for (const auto outer : space::lookbacks<1, 511>::points())
    for (const auto inner : space::differencing<0, 1>::points()) {
      const orders::point_type p{{outer.values[0], inner.values[0]}};
      REQUIRE(orders::index(p) == i++);
    }
  CHECK(i == orders::size);
}

TEST_CASE("a filter keeps the accepted points, and a union the points of either") {
  for (const auto p : conv::points()) {
    CHECK(narrow::contains(p) == narrow_enough{}(p));
    CHECK(overlapping::contains(p) == (conv::index(p) < 16 || narrow_enough{}(p)));
  }
}

TEST_CASE("slices that meet cover a space") {
  using whole = space::unite<space::slice<orders, 0, 400>, space::slice<orders, 400, 401>,
                             space::slice<orders, 401, 1022>>;
  CHECK(whole::size == orders::size);
  for (std::size_t i = 0; i < orders::size; ++i) REQUIRE(whole::at(i) == orders::at(i));
}

TEST_CASE("points are walked as any range, by range-v3 too") {
  const auto points = conv::points();
  CHECK(points.size() == 20);
  CHECK(points[7] == conv::at(7));
  CHECK(*(points.end() - 1) == conv::at(19));
  auto kept = ranges::make_subrange(points.begin(), points.end()) | ranges::views::filter(narrow_enough{});
  CHECK(ranges::equal(kept, narrow::points()));
}

TEST_CASE("visit reaches the point that at gives, and no further") {
  CHECK(holds("visit(i, f) calls f with at(i)", [] {
    const auto i = *rc::gen::inRange<std::size_t>(0, orders::size);
    const auto p = space::visit<orders>(
        i, []<auto Point>(space::constant<Point>) { return Point; });
    RC_ASSERT(p == orders::at(i));
  }));
  CHECK_THROWS_WITH_AS(space::visit<conv>(20, [](auto) {}),
                       "The index 20 names none of the 20 choices. Give an index from 0 to 19.",
                       fmsb::usage_error);
}

TEST_CASE("an index or a point outside of a space is refused in a sentence") {
  CHECK_THROWS_WITH_AS(conv::at(20),
                       "The index 20 names no point: the space has 20 points. Give an index from 0 to 19.",
                       fmsb::usage_error);
  CHECK_THROWS_WITH_AS(
      conv::index({{4, 1}}),
      "The point (kernel=4,dilation=1) is not among the 20 points of the space. Ask contains() first, "
      "or walk points() to see them.",
      fmsb::usage_error);
}

TEST_CASE("fingerprints of points agree at compile time and at run time") {
  for (const auto p : conv::points()) CHECK(hash_of(p) == fmsb::hash_of(to_string(p)));
  CHECK(space::point_fingerprint<conv::at(7)>.hash == hash_of(conv::at(7)));
  CHECK(to_string(conv::at(7)) == "kernel=5,dilation=7");
}

TEST_CASE("taps are the offsets that some kernel of the space touches") {
  std::set<int> offsets;
  for (const auto p : conv::points())
    for (int i = 0; i < space::get<"kernel">(p); ++i) offsets.insert(space::tap(p, i));
  CHECK(std::vector<int>(offsets.begin(), offsets.end()) ==
        std::vector<int>(space::taps<conv>.begin(), space::taps<conv>.end()));
}
