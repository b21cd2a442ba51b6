#include "fmsb/data/duplicates.hpp"

#include "fmsb/core/error.hpp"

#include "support/message.hpp"
#include "support/property.hpp"

#include <cctype>  // std::toupper
#include <limits>  // std::numeric_limits

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::duplicate, data::duplicates, data::letter_case, data::without_duplicates;
using fmsb::test::holds, fmsb::test::message_of;

namespace {

using pairs = std::vector<duplicate>;

data::sequences of(const std::vector<std::string>& texts) {
  std::vector<data::sequence> members;
  for (const auto& text : texts) members.push_back({text});
  return {"f", std::move(members), {"all"}};
}

data::labelled_set arrays(std::vector<float> values, std::size_t each = 2) {
  std::vector<int> labels(values.size() / each);
  return {"f", {each}, std::move(values), std::move(labels), {"all"}};
}

/// Few short texts, so that many are equal.
std::vector<std::string> draw_texts() {
  return *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("A", "a", "AC", "Ac", "aC", "CA", "ACG", "acg", ""));
}

std::string upper(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// Numbers whose hash is always the same: every comparison goes to the contents.
struct colliding_keys {
  const std::vector<int>& from;
  std::size_t size() const { return from.size(); }
  std::uint64_t hash(std::size_t) const { return 7; }
  bool equal(std::size_t i, const colliding_keys& other, std::size_t j) const {
    return from[i] == other.from[j];
  }
};

}  // namespace

TEST_CASE("copies are found with the first of their originals, whatever the case") {
  const auto train = of({"ACGT", "acgt", "TTTT"}), test = of({"AcGt", "TTT", "tttt", "acgt"});
  CHECK(duplicates(test, train) == pairs{{0, 0}, {2, 2}, {3, 0}});
  CHECK(duplicates(test, train, letter_case::matters) == pairs{{3, 1}});
  CHECK(duplicates(test) == pairs{{3, 0}});
  CHECK(without_duplicates(test, train)[0].text == "TTT");
}

TEST_CASE("duplicates are those that comparing each with each finds") {
  CHECK(holds("by definition", [] {
    const auto a = draw_texts(), b = draw_texts();
    const auto by = *rc::gen::element(letter_case::ignored, letter_case::matters);
    const auto equal = [&](const std::string& x, const std::string& y) {
      return by == letter_case::matters ? x == y : upper(x) == upper(y);
    };
    pairs between, within;
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j)
        if (equal(a[i], b[j])) {
          between.push_back({i, j});
          break;
        }
      for (std::size_t j = 0; j < i; ++j)
        if (equal(a[i], a[j])) {
          within.push_back({i, j});
          break;
        }
    }
    RC_ASSERT((duplicates(of(a), of(b), by) == between));
    RC_ASSERT((duplicates(of(a), by) == within));
  }));
}

TEST_CASE("what is left has no copy, and taking copies out again changes nothing") {
  CHECK(holds("without_duplicates is idempotent", [] {
    const auto a = of(draw_texts()), b = of(draw_texts());
    const auto clean = without_duplicates(a, b);
    RC_ASSERT(duplicates(clean, b).empty());
    RC_ASSERT(clean.size() + duplicates(a, b).size() == a.size());
    RC_ASSERT(without_duplicates(clean, b).size() == clean.size());
    const auto firsts = without_duplicates(a);
    RC_ASSERT(duplicates(firsts).empty());
    RC_ASSERT(duplicates(a, firsts).size() == a.size());
  }));
}

TEST_CASE("arrays are equal where every number is") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto train = arrays({1, 2, 3, 4, 0, nan}), test = arrays({2, 1, 3, 4, -0.0f, nan, 3, 5});
  CHECK(duplicates(test, train) == pairs{{1, 1}, {2, 2}});
  const auto clean = without_duplicates(data::test_examples(test), data::train_examples(train));
  CHECK(clean.size() == 2);
  CHECK(clean.members().values(1)[1] == 5);
  const auto repeated = arrays({1, 1, 1, 1});
  CHECK(duplicates(repeated) == pairs{{1, 0}});
  CHECK(without_duplicates(data::train_examples(repeated)).size() == 1);
}

TEST_CASE("arrays of another shape cannot be compared") {
  CHECK(fmsb::test::says(message_of<fmsb::usage_error>([] {
                           (void)duplicates(arrays({1, 2}), arrays({1, 2}, 1));
                         }),
                         {"differ in shape"}));
}

TEST_CASE("equal hashes alone make no duplicate") {
  const std::vector<int> a{1, 2, 3}, b{3, 4, 1, 1};
  CHECK(data::detail::duplicates_between(colliding_keys{a}, colliding_keys{b}) == pairs{{0, 2}, {2, 0}});
  CHECK(data::detail::duplicates_within(colliding_keys{b}) == pairs{{3, 2}});
}
