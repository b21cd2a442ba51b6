#include "fmsb/report/heat_map.hpp"

#include "fmsb/core/utf8.hpp"  // first_letter
#include "fmsb/report/plot.hpp"

#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <cmath>    // std::isfinite
#include <cstdlib>  // std::system
#include <limits>   // std::numeric_limits
#include <sstream>  // std::istringstream

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::message_of;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool can_draw() {
  if (std::system("command -v gnuplot > /dev/null 2>&1") == 0) return true;
  fmsb::test::skip("gnuplot is not installed");
  return false;
}

report::panel shares(std::size_t rows, std::size_t columns) {
  report::panel out{.title = "block0.conv0", .x_label = "epoch"};
  for (std::size_t r = 0; r < rows; ++r) out.rows.push_back("row " + std::to_string(r));
  for (std::size_t i = 0; i < rows * columns; ++i)
    out.map.values.push_back(static_cast<double>(i) / static_cast<double>(rows * columns));
  out.map.legend = "share of the point";
  return out;
}

std::string refusal(const report::panel& p) {
  return message_of<fmsb::usage_error>([&] { report::draw({.panels = {p}}, "unwritten.svg"); });
}

}  // namespace

TEST_CASE("a map is drawn in every format, with the names of its rows and of its colours") {
  if (!can_draw()) return;
  const temporary_folder folder;
  auto p = shares(20, 41);
  p.map.values[77] = kNaN;
  p.curves.push_back({.name = "chosen", .x = {0, 40}, .y = {3, 3}});
  for (const char* name : {"f.svg", "f.png", "f.pdf"})
    report::draw({.panels = {p, p, p}, .columns = 3, .panel_width = 420}, folder.path / name);
  const auto svg = contents(folder.path / "f.svg");
  for (const char* words :
       {"block0.conv0", "epoch", "row 0<", "row 7<", "row 19<", "share of the point", "chosen", "<image "})
    CHECK_MESSAGE(svg.find(words) != std::string::npos, words);
  CHECK(contents(folder.path / "f.png").starts_with("\x89PNG"));
  CHECK(contents(folder.path / "f.pdf").starts_with("%PDF"));
}

TEST_CASE("one row, one column, one value, no known value, names of hundreds of rows: all are drawn") {
  if (!can_draw()) return;
  const temporary_folder folder;
  auto unknown = shares(2, 2), same = unknown, timed = shares(120, 240);
  unknown.map.values.assign(4, kNaN);
  same.map.values.assign(4, 0.05);
  timed.x_is_time = true;
  timed.map.x_first = 1'500'000'000;
  timed.map.x_step = 3600;
  const report::figure f{.panels = {shares(1, 4), shares(4, 1), shares(1, 1), unknown, same, timed},
                         .columns = 2,
                         .panel_height = 300};
  for (const char* name : {"f.svg", "f.png", "f.pdf"}) CHECK_NOTHROW(report::draw(f, folder.path / name));
  const auto svg = contents(folder.path / "f.svg");
  CHECK(svg.find("Jul") != std::string::npos);
  CHECK(svg.find("row 0<") != std::string::npos);
  CHECK(svg.find("row 119<") == std::string::npos);  // too many to be read, so only every so many
}

TEST_CASE("every cell is repeated alike, and its middle stays where it was") {
  CHECK(holds("a matrix of rows x columns with equal blocks", [] {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 6), columns = *rc::gen::inRange<std::size_t>(1, 6);
    const auto width = *rc::gen::inRange(0, 200), height = *rc::gen::inRange(0, 200);
    const auto p = shares(rows, columns);
    const report::detail::map_block block(p.map, rows, width, height);
    std::vector<std::vector<double>> read;
    std::istringstream lines(block.text());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream numbers(line);
      read.emplace_back();
      for (double v = 0; numbers >> v;) read.back().push_back(v);
    }
    RC_ASSERT(read.size() % rows == 0u);
    RC_ASSERT(read.size() >= 2u * (rows == 1));
    const auto down = read.size() / rows;
    for (std::size_t i = 0; i < read.size(); ++i) {
      RC_ASSERT(read[i].size() % columns == 0u);
      const auto across = read[i].size() / columns;
      for (std::size_t k = 0; k < read[i].size(); ++k)
        RC_ASSERT(read[i][k] == p.map.values[i / down * columns + k / across]);
    }
    RC_ASSERT(block.x_high() - block.x_low() == static_cast<double>(columns));
  }));
}

TEST_CASE("the range of colours is never empty and keeps the ends that were given") {
  CHECK(holds("low < high, given ends stay, all values lie within where none is given", [] {
    const auto number = rc::gen::element(-3.0, -0.5, 0.0, 0.05, 1.0, 7.0, kNaN);
    report::heat_map map{.values = *rc::gen::container<std::vector<double>>(number)};
    map.low = *number;
    map.high = *number;
    RC_PRE(!(map.low >= map.high));
    const auto [low, high] = report::detail::colour_range(map);
    RC_ASSERT(low < high);
    if (!std::isnan(map.low)) RC_ASSERT(low == map.low);
    if (!std::isnan(map.high)) RC_ASSERT(high == map.high);
    const bool of_values = std::isnan(map.low) && std::isnan(map.high);
    if (of_values)
      for (const double v : map.values)
        if (std::isfinite(v)) {
          RC_ASSERT(low <= v);
          RC_ASSERT(v <= high);
        }
  }));
}

TEST_CASE("a map that does not fit is refused in a sentence, and no file is left") {
  auto p = shares(3, 4);
  p.map.values.pop_back();
  CHECK(refusal(p) == "heat_map: \"block0.conv0\": 11 values do not fill 3 rows of equal length.");
  p = shares(3, 4);
  p.rows.clear();
  CHECK(refusal(p).find("name no row") != std::string::npos);
  p = shares(3, 4);
  p.map.x_step = 0;
  CHECK(refusal(p).find("steps above zero") != std::string::npos);
  p = shares(3, 4);
  p.map.low = p.map.high = 1;
  CHECK(refusal(p).find("`low` must be below `high`") != std::string::npos);
  p = shares(3, 4);
  p.x_logarithmic = true;
  CHECK(refusal(p).find("logarithmic") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists("unwritten.svg"));
}

TEST_CASE("a letter is read whole, or its first byte alone") {
  using fmsb::detail::first_letter;
  CHECK(first_letter("a").code == U'a');
  CHECK(first_letter("µ").code == U'µ');
  CHECK(first_letter("日x").bytes == 3);
  CHECK(first_letter("\xF0\x9F\x98\x80").code == U'\U0001F600');
  // a continuation, too long for its number, a surrogate, above U+10FFFF, cut short
  for (const char* broken :
       {"\x80", "\xC1\x81", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE6\x97"}) {
    CHECK_FALSE(first_letter(broken).whole);
    CHECK(first_letter(broken).bytes == 1);
  }
}
