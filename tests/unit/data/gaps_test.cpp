#include "fmsb/data/gaps.hpp"

#include "fmsb/core/error.hpp"
#include "fmsb/data/fill.hpp"

#include "series_support.hpp"
#include "support/property.hpp"

#include <cmath>  // std::abs

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::fill_method, data::fill_edges;
using fmsb::test::holds, fmsb::test::one_channel, fmsb::test::draw_series, fmsb::test::same_values,
    fmsb::test::kGap, fmsb::test::message_of;

TEST_CASE("gaps are counted by channel") {
  const data::series s({"a", "b", "c"}, {}, {kGap, 1, kGap, kGap, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, kGap});
  const auto gaps = data::find_gaps(s);
  REQUIRE(gaps.size() == 2);
  CHECK(gaps[0].channel == 0);
  CHECK(gaps[0].absent == 3);
  CHECK(gaps[0].runs == 2);
  CHECK(gaps[0].longest == 2);
  CHECK(gaps[0].first == 0);
  CHECK(gaps[1].channel == 2);
  CHECK(gaps[1].first == 4);
}

TEST_CASE("segments hold no gap, cannot be grown, and leave out nothing but rows with gaps") {
  CHECK(holds("segments partition the rows without gaps", [] {
    const auto s = draw_series();
    const auto whole = [&](std::size_t t) {
      for (std::size_t c = 0; c < s.channels(); ++c)
        if (std::isnan(s.channel(c)[t])) return false;
      return true;
    };
    std::vector<char> covered(s.length(), 0);
    for (const auto& piece : data::segments(s)) {
      RC_ASSERT(piece.first < piece.last);
      RC_ASSERT((piece.first == 0 || !whole(piece.first - 1)));
      RC_ASSERT((piece.last == s.length() || !whole(piece.last)));
      for (std::size_t t = piece.first; t < piece.last; ++t) covered[t] = 1;
    }
    for (std::size_t t = 0; t < s.length(); ++t) RC_ASSERT((covered[t] != 0) == whole(t));
  }));
  CHECK(data::segments(one_channel({1, kGap, 1, 1, kGap, 1, 1, 1}), 2) ==
        std::vector<data::row_range>{{2, 4}, {5, 8}});
}

TEST_CASE("filling leaves known rows alone and no gap behind") {
  CHECK(holds("known rows are unchanged to the bit", [] {
    const auto s = draw_series(2);
    for (const auto method : {fill_method::linear, fill_method::cubic}) {
      const auto filled = data::fill_gaps(s, {.method = method});
      RC_ASSERT(data::find_gaps(filled).empty());
      for (std::size_t c = 0; c < s.channels(); ++c)
        for (std::size_t t = 0; t < s.length(); ++t)
          if (!std::isnan(s.channel(c)[t])) RC_ASSERT(filled.channel(c)[t] == s.channel(c)[t]);
    }
  }));
}

TEST_CASE("cubic filling restores a cubic from any four of its points or more, and linear filling a line") {
  CHECK(holds("a polynomial of the method's degree is restored between its ends", [] {
    const auto rows = *rc::gen::inRange<std::size_t>(6, 60);
    const auto coefficient = [] { return static_cast<double>(*rc::gen::inRange(-1000, 1001)) / 500; };
    const double a = coefficient(), b = coefficient(), c = coefficient(), d = coefficient();
    const auto known = *rc::gen::container<std::vector<bool>>(rows, rc::gen::arbitrary<bool>());
    for (const bool cubic : {true, false}) {
      std::vector<double> truth(rows), holed(rows);
      std::size_t left = 0;
      for (std::size_t t = 0; t < rows; ++t) {
        const double u = static_cast<double>(t) / static_cast<double>(rows);
        truth[t] = a + u * (b + (cubic ? u * (c + u * d) : 0));
        const bool kept = known[t] || t == 0 || t + 1 == rows || t == rows / 2 || t == rows / 3;
        holed[t] = kept ? truth[t] : kGap;
        left += kept ? 1 : 0;
      }
      RC_PRE(left >= 4u);
      const auto filled =
          data::fill_gaps(one_channel(holed), {.method = cubic ? fill_method::cubic : fill_method::linear});
      for (std::size_t t = 0; t < rows; ++t) RC_ASSERT(std::abs(filled.channel(0)[t] - truth[t]) < 1e-11);
    }
  }));
}

TEST_CASE("the cubic is SciPy's not-a-knot spline") {
  // scipy.interpolate.CubicSpline([0, 1, 4, 5, 8, 9], [0, 2, -1, 3, 3.5, 1])(range(10))
  const auto filled = data::fill_gaps(one_channel({0, 2, kGap, kGap, -1, 3, kGap, kGap, 3.5, 1}),
                                      {.method = fill_method::cubic});
  const std::vector<double> expected{0.0,  2.0, 0.5093839249286005, -1.485924112607099,
                                     -1.0, 3.0, 5.328029375764994,  5.218686250509996,
                                     3.5,  1.0};
  for (std::size_t t = 0; t < expected.size(); ++t)
    CHECK(filled.channel(0)[t] == doctest::Approx(expected[t]).epsilon(1e-12));
}

TEST_CASE("three known rows give their parabola, two their line, one its value") {
  const auto cubic = [](std::vector<double> values) {
    const auto filled = data::fill_gaps(one_channel(std::move(values)), {.method = fill_method::cubic});
    return std::vector<double>(filled.channel(0).begin(), filled.channel(0).end());
  };
  const auto parabola = cubic({0, 1, kGap, 9});
  CHECK(parabola[2] == doctest::Approx(4));
  const auto line = cubic({0, kGap, kGap, 9});
  CHECK(line[1] == doctest::Approx(3));
  CHECK(cubic({kGap, 7, kGap}) == std::vector<double>{7, 7, 7});
}

TEST_CASE("what becomes of the edges and of long gaps is the caller's choice") {
  const auto s = one_channel({kGap, 1, kGap, 3, kGap, kGap, 6, kGap});
  CHECK(same_values(data::fill_gaps(s).channel(0), std::vector<double>{1, 1, 2, 3, 4, 5, 6, 6}));
  CHECK(same_values(data::fill_gaps(s, {.edges = fill_edges::leave}).channel(0),
                    std::vector<double>{kGap, 1, 2, 3, 4, 5, 6, kGap}));
  CHECK(same_values(data::fill_gaps(s, {.longest = 1}).channel(0),
                    std::vector<double>{1, 1, 2, 3, kGap, kGap, 6, 6}));
}

TEST_CASE("a channel of gaps cannot be filled, nor a table of constants forecast") {
  const data::series s({"a", "b"}, {}, {1, 2, kGap, kGap});
  CHECK(message_of<fmsb::data_error>([&] {
          (void)data::fill_gaps(s);
        }).find("column \"b\" holds no number") != std::string::npos);
  CHECK(message_of<fmsb::data_error>([&] { data::require_numbers(s); }) ==
        "column \"b\" holds no number in any of its 2 rows; leave it out of the columns.");
  const data::series flat({"a", "b"}, {}, {1, 1, kGap, 2.5});
  CHECK(data::constant_channels(flat) == std::vector<std::size_t>{0, 1});
  CHECK(message_of<fmsb::data_error>([&] { data::require_numbers(flat); }) ==
        "every column is constant: \"a\" is 1 throughout; there is nothing to forecast.");
  CHECK_NOTHROW(data::require_numbers(data::series({"a", "b"}, {}, {1, 1, 1, 2})));
}
