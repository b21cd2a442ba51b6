#include "fmsb/report/table.hpp"

#include "fmsb/core/error.hpp"

#include "support/property.hpp"

#include <limits>   // std::numeric_limits
#include <sstream>  // std::istringstream

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds;

TEST_CASE("numbers are set flush right, words flush left, and lines have no blanks at their end") {
  report::table t({"method", "mse", "lags"});
  t.add({"autoregression", "0.3565", "511"});
  t.add({"last value", "1.29", "-"});
  CHECK(t.text() ==
        "method             mse  lags\n"
        "autoregression  0.3565   511\n"
        "last value        1.29     -\n");
}

TEST_CASE("columns stay in line under accents, Greek and wide letters") {
  report::table t({"name", "x"});
  t.add({"µmol/m²", "1"});
  t.add({"日本", "22"});
  t.add({"e\xCC\x81te", "333"});
  CHECK(report::display_width("µmol/m²") == 7);
  CHECK(report::display_width("日本") == 4);
  CHECK(report::display_width("e\xCC\x81te") == 3);
  CHECK(t.text() ==
        "name       x\n"
        "µmol/m²    1\n"
        "日本      22\n"
        "e\xCC\x81te      333\n");
}

TEST_CASE("every line of a table of numbers is as wide as every other") {
  CHECK(holds("flush right means equal widths", [] {
    const auto columns = *rc::gen::inRange<std::size_t>(1, 6);
    const auto number = rc::gen::exec([] {
      return report::fixed(*rc::gen::inRange(-1'000'000, 1'000'000) / 7.0, *rc::gen::inRange(0, 7));
    });
    report::table t(*rc::gen::container<std::vector<std::string>>(
        columns, rc::gen::element<std::string>("mse", "p", "d")));
    for (int row = *rc::gen::inRange(1, 10); row > 0; --row)
      t.add(*rc::gen::container<std::vector<std::string>>(columns, number));
    std::istringstream lines(t.text());
    std::string first, line;
    std::getline(lines, first);
    while (std::getline(lines, line)) RC_ASSERT(line.size() == first.size());
  }));
}

TEST_CASE("in Markdown bars are escaped and numbers are set flush right") {
  report::table t({"a|b", "mse"});
  t.add({"x", "0.5"});
  CHECK(t.markdown() ==
        "| a\\|b | mse |\n"
        "| ---- | --: |\n"
        "| x    | 0.5 |\n");
}

TEST_CASE("a row with another number of cells is refused") {
  report::table t({"a", "b"});
  CHECK_THROWS_AS(t.add({"1"}), fmsb::usage_error);
}

TEST_CASE("numbers are printed as asked") {
  CHECK(report::fixed(0.35654, 4) == "0.3565");
  CHECK(report::fixed(-0.00001, 2) == "0.00");
  CHECK(report::fixed(-0.5, 0) == "0");
  CHECK(report::fixed(-1.5, 1) == "-1.5");
  CHECK(report::fixed(std::numeric_limits<double>::quiet_NaN(), 2) == "-");
  CHECK(report::fixed(1e300, 1).size() == 303);
  CHECK(report::grouped(0) == "0");
  CHECK(report::grouped(999) == "999");
  CHECK(report::grouped(17420) == "17,420");
  CHECK(report::grouped(1234567890) == "1,234,567,890");
}
