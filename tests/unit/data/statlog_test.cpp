#include "fmsb/data/statlog.hpp"

#include "fmsb/core/error.hpp"

#include "support/message.hpp"
#include "support/property.hpp"

#include <array>  // std::array

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::says;

namespace {

std::string line(const std::vector<int>& numbers, int code, const char* between = " ") {
  std::string out;
  for (const int number : numbers) out += std::to_string(number) + between;
  return out + std::to_string(code) + "\n";
}

std::vector<int> counted(int from = 0) {
  std::vector<int> out;
  for (int i = 0; i < 36; ++i) out.push_back(from + i);
  return out;
}

std::string complaint(const std::string& text) {
  return message_of<data_error>([&] { (void)data::parse_statlog(text, "s.trn"); });
}

}  // namespace

TEST_CASE("of a pixel the four bands stand together, pixels go by rows") {
  const auto set = data::parse_statlog(line(counted(), 7), "s.trn", data::pixel_range::bytes);
  CHECK(set.shape() == std::vector<std::size_t>{4, 3, 3});
  for (std::size_t band = 0; band < 4; ++band)
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t column = 0; column < 3; ++column)
        CHECK(set.values(0)[(band * 3 + row) * 3 + column] ==
              static_cast<float>((row * 3 + column) * 4 + band));
  CHECK(set.classes()[static_cast<std::size_t>(set.label(0))] == "very damp grey soil");
}

TEST_CASE("numbers and classes come back whatever lies between them") {
  CHECK(holds("rows", [] {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 5);
    const auto between = *rc::gen::element<const char*>(" ", "\t", "  \t");
    constexpr std::array codes{1, 2, 3, 4, 5, 7};
    std::string text = *rc::gen::element<std::string>("", line(counted(1), 37, "\t"));
    std::vector<std::vector<int>> wanted;
    std::vector<int> labels;
    for (std::size_t i = 0; i < rows; ++i) {
      wanted.push_back(*rc::gen::container<std::vector<int>>(36, rc::gen::inRange(0, 256)));
      labels.push_back(*rc::gen::inRange(0, 6));
      text += line(wanted.back(), codes[static_cast<std::size_t>(labels.back())], between);
    }
    const auto set = data::parse_statlog(text, "s", data::pixel_range::bytes);
    RC_ASSERT(std::vector<int>(set.labels().begin(), set.labels().end()) == labels);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < 36; ++k)
        RC_ASSERT(set.values(i)[k % 4 * 9 + k / 4] == static_cast<float>(wanted[i][k]));
  }));
}

TEST_CASE("only a first line that numbers the columns is passed over") {
  const auto header = line(counted(1), 37), row = line(counted(), 1);
  CHECK(data::parse_statlog(header + row).size() == 1);
  CHECK(says(complaint(row + header), {"s.trn, line 2, column 37: 37 is no class; the classes are 1, 2"}));
  CHECK(says(complaint(header), {"s.trn holds no line"}));
  CHECK(says(complaint(""), {"s.trn holds no line"}));
}

TEST_CASE("mistakes are told with line and column") {
  const auto row = line(counted(), 1);
  CHECK(complaint(row + "1 2 3\n") ==
        "s.trn, line 2 has 3 numbers; a line has 37, nine pixels of four bands and the class.");
  CHECK(says(complaint("1 " + row), {"has 38 numbers"}));
  CHECK(complaint(row + "12 x 3\n") == "s.trn, line 2, column 2: \"x\" is no whole number from 0 to 255.");
  CHECK(says(complaint("256 2\n"), {"line 1, column 1: \"256\""}));
  CHECK(says(complaint("-1 2\n"), {"\"-1\" is no whole number"}));
  CHECK(says(complaint("1.5 2\n"), {"\"1.5\" is no whole number"}));
  CHECK(says(complaint(line(counted(), 6)), {"6 is no class"}));
}
