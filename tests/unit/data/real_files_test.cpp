#include "fmsb/data/csv.hpp"
#include "fmsb/data/gaps.hpp"
#include "fmsb/data/sentinels.hpp"
#include "fmsb/data/splits.hpp"

#include "support/data.hpp"

#include "support/doctest.hpp"

namespace data = fmsb::data;

namespace {

std::optional<data::csv_file> read(const char* name, const data::csv_options& options = {}) {
  const auto path = fmsb::test::data_file(name);
  if (!path) {
    fmsb::test::skip(std::string(name) + " is not in the data folder");
    return std::nullopt;
  }
  return data::read_csv_file(*path, options);
}

}  // namespace

TEST_CASE("ETTh1 is read as its authors published it") {
  const auto file = read("timeseries/ETTh1.csv");
  if (!file) return;
  const auto& s = file->contents;
  CHECK(s.length() == 17420);
  CHECK(s.names() == std::vector<std::string>{"HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"});
  CHECK(s.channel(0)[0] == 5.827000141143799);
  CHECK(s.channel(6)[0] == 30.5310001373291);
  CHECK(s.channel(6)[17419] == 9.56700038909912);
  const auto steps = data::find_spacing(s.times());
  CHECK(data::print_step(steps.step) == "hourly");
  CHECK(steps.regular());
  CHECK(data::print_timestamp(s.times().front()) == "2016-07-01 00:00:00");
  CHECK(data::find_gaps(s).empty());
  CHECK(data::find_sentinels(s).empty());
  CHECK(data::ett_hourly(s).test.last() == 14400);
  CHECK(file->checksum == 0x4b5772be);
}

TEST_CASE("ETTm1 is read from its packed file") {
  const auto file = read("timeseries/ETTm1.csv.gz");
  if (!file) return;
  CHECK(file->compressed);
  CHECK(file->contents.length() == 69680);
  CHECK(file->contents.channels() == 7);
  CHECK(data::print_step(data::find_spacing(file->contents.times()).step) == "every 15 minutes");
  CHECK(data::find_sentinels(file->contents).empty());
}

TEST_CASE("the weather table's codes stand in three columns, and one of its rows is there twice") {
  const auto file = read("timeseries/weather.csv.gz", {.times = data::time_order::repeats});
  if (!file) return;
  const auto& s = file->contents;
  CHECK(s.length() == 52696);
  CHECK(s.channels() == 21);
  CHECK(file->repeats == 1);
  const auto steps = data::find_spacing(s.times());
  CHECK(data::print_step(steps.step) == "every 10 minutes");
  CHECK(steps.jumps == 2);
  const auto codes = data::find_sentinels(s);
  REQUIRE(codes.size() == 3);
  CHECK(s.names()[codes[0].channel] == "wv (m/s)");
  CHECK(codes[0].count == 1);
  CHECK(s.names()[codes[1].channel].starts_with("max. PAR"));
  CHECK(codes[1].count == 30);
  CHECK(s.names()[codes[2].channel] == "OT");
  CHECK(codes[2].count == 50);
  for (const auto& code : codes) CHECK(code.value == -9999);
  CHECK(data::segments(data::mask_sentinels(s, codes)).size() > 1);
}

TEST_CASE("the illness table is weekly and whole") {
  const auto file = read("timeseries/national_illness.csv");
  if (!file) return;
  CHECK(file->contents.length() == 966);
  CHECK(file->contents.channels() == 7);
  CHECK(data::print_step(data::find_spacing(file->contents.times()).step) == "weekly");
  CHECK(data::find_sentinels(file->contents).empty());
}

TEST_CASE("empty cells of the intensive-care table are gaps") {
  const auto file = read("vitals/icu_hourly_a.csv");
  if (!file) return;
  const auto gaps = data::find_gaps(file->contents);
  REQUIRE(gaps.size() == 2);
  CHECK(file->contents.names()[gaps[0].channel] == "heart_rate_bpm");
  CHECK(gaps[0].first == 0);
}
