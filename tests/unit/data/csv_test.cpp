#include "fmsb/data/csv.hpp"

#include "fmsb/data/write_csv.hpp"

#include "series_support.hpp"
#include "support/folder.hpp"
#include "support/property.hpp"

#include <zlib.h>  // gzopen

#include <fstream>  // std::ofstream
#include <set>      // std::set
#include <sstream>  // std::ostringstream

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::parse_csv;
using fmsb::test::holds, fmsb::test::same_series, fmsb::test::same_values, fmsb::test::kGap,
    fmsb::test::temporary_file;

namespace {

data::series read(std::string_view text, const data::csv_options& options = {}) {
  return parse_csv(text, options).contents;
}

std::string written(const data::series& s, char delimiter = ',') {
  std::ostringstream out;
  data::write_csv(out, s, "date", delimiter);
  return out.str();
}

/// Any finite double, by its bits: subnormal numbers, negative zero and the largest among them.
double draw_double() {
  const auto bits = *rc::gen::arbitrary<std::uint64_t>();
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return std::isfinite(value) ? value : kGap;
}

/// UTF-8 made of what breaks careless readers.
std::string draw_name() {
  const auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>(",", "\"", "\n", "\r\n", "\r", ";", " ", "a", "1.5", "2020-01-01", "µ",
                                    "日本", "\xEF\xBB\xBF", "'", "e", "-", "\t", "nan", "\\"));
  std::string name;
  for (const auto& part : parts) name += part;
  return name;
}

}  // namespace

TEST_CASE("what is written is read back to the bit, whatever the names and numbers") {
  CHECK(holds("parse_csv(write_csv(s)) == s", [] {
    const auto channels = *rc::gen::inRange<std::size_t>(1, 4);
    const auto rows = *rc::gen::inRange<std::size_t>(1, 12);
    const auto timed = *rc::gen::arbitrary<bool>();
    const auto delimiter = *rc::gen::element(',', ';', '\t');
    std::set<std::string> taken{"date"};
    std::vector<std::string> names;
    while (names.size() < channels) {
      const auto name = draw_name();
      if (taken.insert(name).second) names.push_back(name);
    }
    std::vector<double> values;
    for (std::size_t i = 0; i < channels * rows; ++i) values.push_back(draw_double());
    std::vector<data::timestamp> times;
    for (std::size_t t = 0; timed && t < rows; ++t)
      times.push_back(static_cast<data::timestamp>(t) * 4000 + *rc::gen::inRange(0, 3999));
    const data::series s(names, times, values);
    const auto back = read(written(s, delimiter), {.delimiter = delimiter});
    RC_ASSERT(same_series(back, s));
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < rows; ++t)
        RC_ASSERT((std::signbit(back.channel(c)[t]) == std::signbit(s.channel(c)[t]) ||
                   std::isnan(s.channel(c)[t])));
  }));
}

TEST_CASE("a plain table gives names, numbers and timestamps") {
  const auto file = parse_csv("date,a,b\n2020-01-01 00:00:00,1,2.5\n2020-01-01 01:00:00,-3e2,+4\n");
  CHECK(file.time_column == "date");
  CHECK(file.contents.names() == std::vector<std::string>{"a", "b"});
  CHECK(same_values(file.contents.channel(0), std::vector{1.0, -300.0}));
  CHECK(same_values(file.contents.channel(1), std::vector{2.5, 4.0}));
  CHECK(file.contents.times()[1] - file.contents.times()[0] == 3600);
}

TEST_CASE("timestamps are found in whatever column they stand") {
  const auto file = parse_csv("temp,when\n47.8,2010/01/01 00:00\n47.4,2010/01/01 01:00\n");
  CHECK(file.time_column == "when");
  CHECK(file.contents.names() == std::vector<std::string>{"temp"});
  CHECK(read("a,b\n1,2\n").times().empty());
}

TEST_CASE("line ends of every system, a missing last one and blank lines at the end read alike") {
  const auto expected = read("a,b\n1,2\n3,4\n");
  for (const char* text : {"a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4", "a,b\n1,2\n3,4\n\n\n",
                           "a,b\r\n1,2\r\n3,4\r\n\r\n", "a,b\r1,2\r3,4\r",
                           "\xEF\xBB\xBF"
                           "a,b\n1,2\n3,4\n",
                           " a , b \n 1 , 2 \n 3 ,4\n", "\"a\",\"b\"\n\"1\",\"2\"\n3,4\n"})
    CHECK_MESSAGE(same_series(read(text), expected), text);
}

TEST_CASE("quoted cells may hold delimiters, quotes and line ends") {
  const auto s = read("\"a, \"\"first\"\"\",\"two\nlines\"\n1,2\n");
  CHECK(s.names() == std::vector<std::string>{"a, \"first\"", "two\nlines"});
}

TEST_CASE("empty cells and the words given are gaps") {
  const auto s = read("a,b\n,na\nNaN,2\n\"\", \n", {.missing = {"na", "NaN"}});
  CHECK(same_values(s.channel(0), std::vector{kGap, kGap, kGap}));
  CHECK(same_values(s.channel(1), std::vector{kGap, 2.0, kGap}));
  CHECK(same_values(read("a\n1\n\n3\n").channel(0), std::vector{1.0, kGap, 3.0}));
}

TEST_CASE("channels are chosen by name and order, and text in the others does no harm") {
  const auto s = read("a,note,b\n1,fine,2\n3,\"x,y\",4\n", {.columns = {"b", "a"}});
  CHECK(s.names() == std::vector<std::string>{"b", "a"});
  CHECK(s.channel(0)[1] == 4);
}

TEST_CASE("a header in Latin-1 becomes UTF-8, and one in UTF-8 stays") {
  CHECK(read("T (\xB0"
             "C)\n1\n")
            .names()[0] ==
        "T (\xC2\xB0"
        "C)");
  CHECK(read("T (\xC2\xB0"
             "C)\n1\n")
            .names()[0] ==
        "T (\xC2\xB0"
        "C)");
}

TEST_CASE("a delimiter at the end of every line is no channel, but an empty column with a name is") {
  CHECK(read("a,b,\n1,2,\n3,4,\n").channels() == 2);
  CHECK(read("a,b,c\n1,2,\n").channels() == 3);
  CHECK(read(",a\n0,5\n").names()[0] == "column 1");
}

TEST_CASE("numbers too small for a double become the nearest one, those too large are no numbers") {
  const auto s = read("a\n1e-400\n4e-320\n-0\n");
  CHECK(s.channel(0)[0] == 0);
  CHECK(s.channel(0)[1] == 4e-320);
  CHECK(std::signbit(s.channel(0)[2]));
}

TEST_CASE("timestamps may be left unread, and repeated ones may be kept") {
  const char* text = "t,a\n2020-01-02,1\n2020-01-02,2\n2020-01-01,3\n";
  const auto ignored = read(text, {.times = data::time_order::ignored});
  CHECK(ignored.times().empty());
  CHECK(ignored.length() == 3);
  const auto file = parse_csv("t,a\n2020-01-02,1\n2020-01-02,2\n", {.times = data::time_order::repeats});
  CHECK(file.repeats == 1);
  CHECK(file.contents.length() == 2);
}

TEST_CASE("a packed file reads as the plain one, in one member or several, under any name") {
  const std::string first = "a,b\n1,2\n", second = "3,4\n5,6\n";
  const temporary_file plain("plain.csv"), packed("packed.dat");
  std::ofstream(plain.path) << first << second;
  for (const bool append : {false, true}) {
    const gzFile out = gzopen(packed.path.c_str(), append ? "ab" : "wb");
    const auto& part = append ? second : first;
    REQUIRE(gzwrite(out, part.data(), static_cast<unsigned>(part.size())) > 0);
    gzclose(out);
  }
  const auto a = data::read_csv_file(plain.path), b = data::read_csv_file(packed.path);
  CHECK(same_series(a.contents, b.contents));
  CHECK(a.checksum == b.checksum);
  CHECK(a.bytes == first.size() + second.size());
  CHECK(b.bytes == a.bytes);
  CHECK_FALSE(a.compressed);
  CHECK(b.compressed);
}

TEST_CASE("a file longer than one buffer unpacks whole") {
  std::string text = "a,b\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + "," + std::to_string(i * 7 % 1009) + "\n";
  const temporary_file packed("long.csv.gz");
  const gzFile out = gzopen(packed.path.c_str(), "wb");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0);
  gzclose(out);
  const auto file = data::read_csv_file(packed.path);
  CHECK(file.bytes == text.size());
  CHECK(file.contents.length() == 200'000);
  CHECK(file.contents.channel(0)[199'999] == 199'999);
  CHECK(file.checksum == crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

TEST_CASE("an infinite number is not written") {
  CHECK_THROWS_AS((void)written(fmsb::test::one_channel({1 / 0.0})), fmsb::usage_error);
}
