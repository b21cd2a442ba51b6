#include "fmsb/data/sentinels.hpp"

#include "fmsb/data/gaps.hpp"

#include "series_support.hpp"
#include "support/property.hpp"

#include <cmath>  // std::sin

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::find_sentinels, data::sentinel;
using fmsb::test::holds, fmsb::test::one_channel, fmsb::test::kGap;

namespace {

std::vector<double> wave(std::size_t rows, double low, double high) {
  std::vector<double> out(rows);
  for (std::size_t t = 0; t < rows; ++t)
    out[t] = low + (high - low) * (0.5 + 0.5 * std::sin(static_cast<double>(t) * 0.7));
  return out;
}

data::series wave_with(std::initializer_list<std::pair<std::size_t, double>> codes, double low = -10,
                       double high = 30) {
  auto values = wave(200, low, high);
  for (const auto& [row, code] : codes) values[row] = code;
  return one_channel(std::move(values));
}

}  // namespace

TEST_CASE("customary codes are found even where they occur once") {
  for (const double code :
       {-9999.0, 9999.0, -999.0, -99.0, 999.9, -32768.0, 65535.0, 1e20, -3.4028235e38, 9.96921e36})
    CHECK_MESSAGE((find_sentinels(wave_with({{17, code}})) == std::vector<sentinel>{{0, code, 1, 17}}), code);
}

TEST_CASE("codes at both ends and one beyond another are all found") {
  const auto found = find_sentinels(wave_with({{5, -9999}, {9, -9999}, {50, 9999}, {70, -999}}));
  REQUIRE(found.size() == 3);
  CHECK(found[0] == sentinel{0, -9999, 2, 5});
  CHECK(found[1] == sentinel{0, 9999, 1, 50});
  CHECK(found[2] == sentinel{0, -999, 1, 70});
}

TEST_CASE("any number far outside that keeps coming back is one, a single spike is not") {
  CHECK(find_sentinels(wave_with({{5, -777}})).empty());
  CHECK(find_sentinels(wave_with({{5, -777}, {6, -777}, {90, -777}})) ==
        std::vector<sentinel>{{0, -777, 3, 5}});
  CHECK(find_sentinels(wave_with({{5, 200}, {6, 200}, {90, 200}})).empty());
}

TEST_CASE("nines within the range of the measurements are measurements") {
  CHECK(find_sentinels(one_channel(wave(500, 900, 1100))).empty());
  CHECK(find_sentinels(wave_with({{3, 999}}, 0, 1000)).empty());
  CHECK(find_sentinels(one_channel({0, 1, 0, 1, 1, 0})).empty());
  CHECK(find_sentinels(one_channel({5, 5, 5})).empty());
  CHECK(find_sentinels(one_channel({kGap, kGap})).empty());
}

TEST_CASE("no series of ordinary measurements has sentinels") {
  CHECK(holds("numbers drawn evenly from a range hold no code", [] {
    const auto low = *rc::gen::inRange(-2000, 2000);
    const auto span = *rc::gen::inRange(1, 3000);
    const auto values = *rc::gen::container<std::vector<int>>(300, rc::gen::inRange(low, low + span + 1));
    const auto found = find_sentinels(one_channel({values.begin(), values.end()}));
    for (const auto& s : found) RC_LOG() << s.value << " in " << low << " + " << span << std::endl;
    RC_ASSERT(found.empty());
  }));
}

TEST_CASE("masking turns exactly the codes into gaps") {
  const auto s = wave_with({{5, -9999}, {9, -9999}});
  const auto masked = data::mask_sentinels(s, find_sentinels(s));
  const auto gaps = data::find_gaps(masked);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].absent == 2);
  CHECK(gaps[0].first == 5);
  CHECK(masked.channel(0)[6] == s.channel(0)[6]);
  CHECK(find_sentinels(masked).empty());
}
