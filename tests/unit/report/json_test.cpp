#include "fmsb/report/json.hpp"

#include "support/folder.hpp"
#include "support/property.hpp"

#include <cstdint>  // std::uint64_t
#include <cstring>  // std::memcpy

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds;
using report::json;

namespace {

json draw_value(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::arbitrary<std::int64_t>();
    case 3:
      return *rc::gen::element<std::string>("", "a", "\"", "\\", "\n", "µ", "日本", "a b", "\t\x01");
    case 4:
    case 5: {
      const auto bits = *rc::gen::arbitrary<std::uint64_t>();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      return std::isfinite(value) ? json(value) : json(0.5);
    }
    case 6: {
      json array = json::array();
      for (int i = *rc::gen::inRange(0, 30); i > 0; --i) array.push_back(draw_value(depth - 1));
      return array;
    }
    default: {
      json object = json::object();
      for (int i = *rc::gen::inRange(0, 6); i > 0; --i)
        object["k" + std::to_string(*rc::gen::inRange(0, 100))] = draw_value(depth - 1);
      return object;
    }
  }
}

}  // namespace

TEST_CASE("what is printed is read back the same, members in their order") {
  CHECK(holds("parse(to_text(v)) == v", [] {
    const json value = draw_value(3);
    const json back = json::parse(report::to_text(value));
    RC_ASSERT(back == value);
    RC_ASSERT(back.dump() == value.dump());
  }));
}

TEST_CASE("numbers run on in lines, members stand one a line") {
  const json value = {
      {"horizon", 96}, {"phi", {0.5, 1.0, 2.25}}, {"empty", json::array()}, {"in", {{"a", "b"}}}};
  CHECK(report::to_text(value) ==
        "{\n  \"horizon\": 96,\n  \"phi\": [0.5, 1.0, 2.25],\n  \"empty\": [],\n  \"in\": {\n    \"a\": "
        "\"b\"\n  }\n}\n");
  const auto long_text = report::to_text(json(std::vector<double>(511, 0.123456789)));
  std::size_t from = 0, lines = 0;
  for (std::size_t at = 0; (at = long_text.find('\n', from)) != std::string::npos; from = at + 1, ++lines)
    CHECK(at - from <= 100);
  CHECK(lines < 90);
}

TEST_CASE("what JSON has no word for becomes null, and bytes that are no UTF-8 do not stop a report") {
  CHECK(report::to_text(json{{"x", 0.0 / 0.0}, {"y", 1 / 0.0}}) == "{\n  \"x\": null,\n  \"y\": null\n}\n");
  const auto mended = json::parse(report::to_text(json{{"name\xFF", "x\xB0"}}));
  CHECK(mended.begin().key() == "name\xEF\xBF\xBD");
  CHECK(mended.begin().value() == "x\xEF\xBF\xBD");
}

TEST_CASE("a report is written as a file") {
  const fmsb::test::temporary_folder folder;
  report::write_json(folder.path / "r.json", json{{"mse", 0.25}});
  CHECK(json::parse(fmsb::test::contents(folder.path / "r.json"))["mse"] == 0.25);
}
