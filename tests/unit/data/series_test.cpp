#include "fmsb/data/series.hpp"

#include "fmsb/core/error.hpp"

#include "series_support.hpp"
#include "support/property.hpp"

#include <array>  // std::array

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::test::holds, fmsb::test::draw_series, fmsb::test::same_series, fmsb::test::message_of;

TEST_CASE("a channel lies contiguous in time and a slice shares its storage") {
  const data::series s({"a", "b"}, {10, 20, 30}, {1, 2, 3, 4, 5, 6});
  CHECK(s.channels() == 2);
  CHECK(s.length() == 3);
  CHECK_FALSE(s.empty());
  CHECK(s.channel(1)[2] == 6);
  const auto tail = s.slice(1, 3);
  CHECK(tail.length() == 2);
  CHECK(tail.channel(0).data() == s.channel(0).data() + 1);
  CHECK(tail.times()[0] == 20);
}

TEST_CASE("a slice outlives the series that it was cut from") {
  auto tail = [] { return data::series({"a"}, {}, {1, 2, 3}).slice(2, 3); }();
  CHECK(tail.channel(0)[0] == 3);
}

TEST_CASE("slices compose: a slice of a slice is the slice of the sums") {
  CHECK(holds("slice(a, b).slice(c, d) == slice(a + c, a + d)", [] {
    const auto s = draw_series();
    const auto a = *rc::gen::inRange<std::size_t>(0, s.length() + 1);
    const auto b = *rc::gen::inRange<std::size_t>(a, s.length() + 1);
    const auto c = *rc::gen::inRange<std::size_t>(0, b - a + 1);
    const auto d = *rc::gen::inRange<std::size_t>(c, b - a + 1);
    RC_ASSERT(same_series(s.slice(a, b).slice(c, d), s.slice(a + c, a + d)));
  }));
}

TEST_CASE("concatenating the two sides of a cut gives the series back, timestamps and all") {
  CHECK(holds("concatenate(head, tail) == whole", [] {
    const auto drawn = draw_series();
    std::vector<data::timestamp> times;
    for (std::size_t t = 0; t < drawn.length(); ++t) times.push_back(static_cast<data::timestamp>(t) * 3600);
    std::vector<double> values;
    for (std::size_t c = 0; c < drawn.channels(); ++c)
      values.insert(values.end(), drawn.channel(c).begin(), drawn.channel(c).end());
    const data::series whole(drawn.names(), times, values);
    const auto cut = *rc::gen::inRange<std::size_t>(0, whole.length() + 1);
    RC_ASSERT(same_series(data::concatenate(whole.slice(0, cut), whole.slice(cut, whole.length())), whole));
  }));
}

TEST_CASE("select copies channels in the order asked for") {
  const data::series s({"a", "b", "c"}, {7, 8}, {1, 2, 3, 4, 5, 6});
  const auto picked = s.select(std::array<std::size_t, 2>{2, 0});
  CHECK(picked.names() == std::vector<std::string>{"c", "a"});
  CHECK(picked.channel(0)[1] == 6);
  CHECK(picked.times()[1] == 8);
}

TEST_CASE("sizes that do not fit and rows that are not there are refused in words") {
  using fmsb::usage_error;
  const data::series s({"a"}, {}, {1, 2, 3});
  CHECK(message_of<usage_error>([&] { (void)s.slice(2, 5); }) ==
        "series::slice: rows [2, 5) do not lie within the 3 rows of the series.");
  CHECK_THROWS_AS((void)s.slice(2, 1), usage_error);
  CHECK_THROWS_AS((void)s.channel(1), usage_error);
  CHECK_THROWS_AS((data::series({"a", "b"}, {}, {1, 2, 3})), usage_error);
  CHECK_THROWS_AS((data::series({}, {}, {1})), usage_error);
  CHECK_THROWS_AS((data::series({"a"}, {5}, {1, 2})), usage_error);
  CHECK_THROWS_AS((void)data::concatenate(s, data::series({"b"}, {}, {1})), usage_error);
}

TEST_CASE("a series without channels is empty") {
  CHECK(data::series().empty());
  CHECK(data::series({"a"}, {}, {}).empty());
}
