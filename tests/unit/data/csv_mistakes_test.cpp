#include "fmsb/core/error.hpp"
#include "fmsb/data/csv.hpp"

#include "series_support.hpp"
#include "support/folder.hpp"
#include "support/property.hpp"

#include <zlib.h>  // gzopen

#include <filesystem>  // std::filesystem::temp_directory_path
#include <fstream>     // std::ofstream

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::temporary_file;

namespace {

std::string complaint(std::string_view text, const data::csv_options& options = {}) {
  return message_of<data_error>([&] { (void)data::parse_csv(text, options, "f.csv"); });
}

bool says(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    if (message.find(word) == std::string::npos) return false;
  return true;
}

}  // namespace

TEST_CASE("text in place of a number is told with file, row and column") {
  CHECK(complaint("t,HR\n2020-01-01,1\n2020-01-02,n/a\n") ==
        "f.csv, row 3, column \"HR\": \"n/a\" is not a number. Pass --missing n/a to read it as a gap.");
  CHECK(says(complaint("a,b\n1,2\n3,not there\n"), {"row 3", "\"b\"", "--missing 'not there'"}));
  for (const char* cell : {"nan", "inf", "-infinity", "1e999"})
    CHECK_MESSAGE(says(complaint(std::string("a\n") + cell + "\n"), {"row 2", "is not a finite number"}),
                  cell);
  for (const char* cell : {"1,2", "1 2", "0x10", "1.5.2", "--1", "+-1", "1e", "."})
    CHECK_MESSAGE(says(complaint(std::string("a;b\n0;") + cell + "\n", {.delimiter = ';'}),
                       {"row 2", "is not a number"}),
                  cell);
}

TEST_CASE("rows are counted by the lines of the file, across quoted line ends too") {
  CHECK(says(complaint("\"a\nb\",c\n1,2\n3,x\n"), {"row 4", "column \"c\""}));
  CHECK(says(complaint("a,b\r\n1,2\r\n3,x\r\n"), {"row 3"}));
}

TEST_CASE("a row with too few or too many cells is told with both counts") {
  CHECK(says(complaint("a,b,c\n1,2,3\n1,2\n"), {"f.csv, row 3 has 2 cells", "names 3"}));
  CHECK(says(complaint("a,b\n1,2,3,4\n"), {"row 2 has 4 cells", "names 2"}));
  CHECK(says(complaint("a,b\n1,2\n\n3,4\n"), {"row 3 is blank"}));
}

TEST_CASE("timestamps out of order or twice are told with their row") {
  CHECK(says(complaint("t,a\n2020-01-02,1\n2020-01-01,2\n"),
             {"row 3", "column \"t\"", "comes before 2020-01-02"}));
  CHECK(says(complaint("t,a\n2020-01-02,1\n2020-01-02,2\n"),
             {"row 3", "2020-01-02 00:00:00 stands in the row above"}));
  CHECK(
      says(complaint("t,a\n2020-01-02,1\nyesterday,2\n"), {"row 3", "\"yesterday\" is not a date or time"}));
  CHECK(says(complaint("t,a\n2020-01-02,1\n2020-01-01,2\n", {.times = data::time_order::repeats}),
             {"comes before"}));
}

TEST_CASE("an empty file, a header alone and a table without a header are told") {
  CHECK(says(complaint(""), {"f.csv is empty"}));
  CHECK(says(complaint("\n\n"), {"f.csv is empty"}));
  CHECK(says(complaint("a,b\n"), {"no rows follow the header"}));
  CHECK(says(complaint("1,2\n3,4\n"), {"row 1", "there is no header"}));
  CHECK(says(complaint("2020-01-01,2\n2020-01-02,4\n"), {"row 1", "there is no header"}));
}

TEST_CASE("a column that is not there is told with those that are") {
  CHECK(complaint("a,b\n1,2\n", {.columns = {"c"}}) == "f.csv: there is no column \"c\"; the file has a, b.");
  CHECK(says(complaint("a,b\n1,2\n", {.time_column = "when"}), {"no column \"when\""}));
  CHECK(says(complaint("t\n2020-01-01\n"), {"no column of numbers"}));
  CHECK(says(complaint("a,a\n1,2\n"), {"two columns are called \"a\""}));
  CHECK(says(complaint("a;b\n1;2\n"), {"only one column was found", "--delimiter"}));
}

TEST_CASE("a column asked for twice, or as both channel and clock, is the caller's mistake") {
  CHECK_THROWS_AS((void)data::parse_csv("a,b\n1,2\n", {.columns = {"a", "a"}}), usage_error);
  CHECK_THROWS_AS((void)data::parse_csv("t,b\n2020-01-01,2\n", {.columns = {"t"}}), usage_error);
}

TEST_CASE("quotes that do not close or are followed by text are told") {
  CHECK(says(complaint("a,b\n1,\"2\n"), {"row 2", "never closed"}));
  CHECK(says(complaint("a,b\n1,\"2\"x\n"), {"row 2", "closing quote"}));
}

TEST_CASE("other encodings and packings are named") {
  CHECK(says(complaint(std::string_view("\xFF\xFE"
                                        "a\0",
                                        4)),
             {"UTF-16"}));
  CHECK(says(complaint(std::string_view("a\n1\n\0\n", 6)), {"row 3", "a zero byte"}));
  const temporary_file zip("table.zip");
  std::ofstream(zip.path) << "PK\x03\x04rest";
  CHECK(says(message_of<data_error>([&] { (void)data::read_csv(zip.path); }),
             {"table.zip is a zip archive", "gzip"}));
}

TEST_CASE("a missing file and a folder are told by name") {
  CHECK(says(message_of<data_error>([] { (void)data::read_csv("no/such.csv"); }),
             {"no/such.csv cannot be opened", "No such file"}));
  CHECK(says(message_of<data_error>([] { (void)data::read_csv(std::filesystem::temp_directory_path()); }),
             {"is a folder"}));
}

TEST_CASE("gzip data that are cut short or damaged are told, wherever the cut falls") {
  std::string text = "a,b\n";
  for (int i = 0; i < 500; ++i) text += std::to_string(i) + "," + std::to_string(i * i % 97) + "\n";
  const temporary_file whole("whole.gz"), cut("cut.gz");
  const gzFile out = gzopen(whole.path.c_str(), "wb");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0);
  gzclose(out);
  const std::string packed = data::detail::read_all(whole.path);
  const auto outcome = [&](std::string bytes) {
    std::ofstream(cut.path, std::ios::binary | std::ios::trunc) << bytes;
    return message_of<data_error>([&] { (void)data::read_csv(cut.path); });
  };
  CHECK(outcome(packed).empty());
  CHECK(holds("every proper prefix is refused", [&] {
    const auto kept = *rc::gen::inRange<std::size_t>(2, packed.size());
    RC_ASSERT(says(outcome(packed.substr(0, kept)), {"is cut short"}));
  }));
  std::string damaged = packed;
  damaged[packed.size() / 2] = static_cast<char>(damaged[packed.size() / 2] ^ 0x55);
  CHECK(says(outcome(damaged), {"is damaged"}));
}

TEST_CASE("no text whatever makes the reader crash or return rows of unequal length") {
  CHECK(holds("a table or a sentence", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>(",", "\"", "\n", "\r", "\r\n", " ", "a", "1", "-2.5e3", "2020-01-01",
                                      "2020-01-02 10:00", "nan", "\xFF", ";", "", std::string(1, '\0')));
    std::string text;
    for (const auto& part : parts) text += part;
    try {
      const auto s = data::parse_csv(text).contents;
      RC_ASSERT(s.length() > 0u);
      RC_ASSERT(s.channels() > 0u);
      for (std::size_t c = 0; c < s.channels(); ++c)
        for (const double x : s.channel(c)) RC_ASSERT(!std::isinf(x));
    } catch (const data_error& problem) { RC_ASSERT(std::string(problem.what()).ends_with(".")); }
  }));
}
