#include "fmsb/data/one_hot.hpp"

#include "fmsb/core/error.hpp"

#include "support/message.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::ranges::equal
#include <cmath>      // std::abs

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::bases_of, data::fitting, data::one_hot, data::one_hot_counted, data::unknown_letters;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::says;

namespace {

constexpr std::string_view kLetters = "ACGTRYSWKMBDHVNacgtryswkmbdhvn";

data::sequences of(std::vector<std::string> texts) {
  std::vector<data::sequence> members;
  for (auto& text : texts) members.push_back({std::move(text)});
  return {"f", std::move(members), {"all"}};
}

std::string draw_text(std::size_t length, std::string_view letters = kLetters) {
  std::string text;
  while (text.size() < length) text += letters[*rc::gen::inRange<std::size_t>(0, letters.size())];
  return text;
}

std::vector<std::string> draw_texts(std::size_t longest = 12) {
  std::vector<std::string> out;
  const auto count = *rc::gen::inRange(1, 5);
  for (int i = 0; i < count; ++i) out.push_back(draw_text(*rc::gen::inRange<std::size_t>(1, longest)));
  return out;
}

bool same(const data::labelled_set& a, const data::labelled_set& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.values(), b.values()) &&
         std::ranges::equal(a.labels(), b.labels());
}

std::vector<float> row(const data::labelled_set& set, std::size_t r) {
  const auto length = set.shape()[1];
  const auto numbers = set.values(0).subspan(r * length, length);
  return {numbers.begin(), numbers.end()};
}

}  // namespace

// The bases of a letter's partner are the partners of its bases: A with T (bits 0, 1), C with G (bits 2, 3).
static_assert([] {
  for (const char letter : kLetters) {
    const unsigned bases = bases_of(letter);
    if (bases == 0) return false;
    const unsigned partners = (bases & 5u) << 1 | (bases & 10u) >> 1;
    if (bases_of(data::complement(letter)) != partners) return false;
    if (data::complement(data::complement(letter)) != letter) return false;
  }
  return true;
}());
// Fifteen letters name fifteen different sets of bases: every set but the empty one.
static_assert([] {
  unsigned seen = 0;
  for (const char letter : kLetters.substr(0, 15)) seen |= 1u << bases_of(letter);
  return seen == 0xFFFEu;
}());
static_assert(bases_of('U') == bases_of('T') && data::complement('u') == 'a');
static_assert(bases_of('X') == 0 && bases_of('-') == 0 && bases_of('\0') == 0 &&
              data::complement('E') == '\0');

TEST_CASE("rows are A, T, C, G, N, and ambiguous letters are shared out") {
  const auto set = one_hot(of({"ATCGNuRb"}));
  const float third = 1.0f / 3;
  CHECK(set.shape() == std::vector<std::size_t>{5, 8});
  CHECK(row(set, 0) == std::vector<float>{1, 0, 0, 0, 0, 0, 0.5, 0});
  CHECK(row(set, 1) == std::vector<float>{0, 1, 0, 0, 0, 1, 0, third});
  CHECK(row(set, 2) == std::vector<float>{0, 0, 1, 0, 0, 0, 0, third});
  CHECK(row(set, 3) == std::vector<float>{0, 0, 0, 1, 0, 0, 0.5, third});
  CHECK(row(set, 4) == std::vector<float>{0, 0, 0, 0, 1, 0, 0, 0});
}

TEST_CASE("a column adds up to one where there is a letter and is zero elsewhere") {
  CHECK(holds("columns add up", [] {
    const auto texts = draw_texts();
    const auto fit = *rc::gen::element(fitting::pad, fitting::centre);
    const auto from = of(texts);
    const auto set = one_hot(from, {.fit = fit});
    const auto length = set.shape()[1];
    for (std::size_t i = 0; i < set.size(); ++i) {
      double letters = 0;
      for (std::size_t k = 0; k < length; ++k) {
        double sum = 0;
        for (std::size_t r = 0; r < 5; ++r) sum += static_cast<double>(set.values(i)[r * length + k]);
        RC_ASSERT((sum == 0 || std::abs(sum - 1) < 1e-6));  // three thirds, each right to 1e-8
        letters += sum;
      }
      RC_ASSERT(std::abs(letters - static_cast<double>(texts[i].size())) < 1e-5);
    }
  }));
}

TEST_CASE("case makes no difference") {
  CHECK(holds("upper and lower case alike", [] {
    auto texts = draw_texts();
    const auto before = one_hot(of(texts), {.fit = fitting::pad});
    for (auto& text : texts)
      for (auto& c : text)
        if (*rc::gen::arbitrary<bool>()) c = static_cast<char>(c ^ 0x20);
    RC_ASSERT(same(one_hot(of(texts), {.fit = fitting::pad}), before));
  }));
}

TEST_CASE("encoding the other strand is the other strand of the encoding") {
  CHECK(holds("one_hot(reverse_complement(text)) == reverse_complement(one_hot(text))", [] {
    const auto length = *rc::gen::inRange<std::size_t>(1, 20);
    const auto text = draw_text(length);
    const auto encoded = one_hot(of({text}));
    RC_ASSERT(same(one_hot(of({data::reverse_complement(text)})), data::reverse_complement(encoded)));
    RC_ASSERT(data::reverse_complement(data::reverse_complement(text)) == text);
    RC_ASSERT(same(data::reverse_complement(data::reverse_complement(encoded)), encoded));
  }));
  CHECK(data::reverse_complement("AACgt") == "acGTT");
}

TEST_CASE("padding puts zeros after, centring lines the middles up") {
  const auto padded = one_hot_counted(of({"AAAA", "AA", "AAA"}), {.fit = fitting::pad, .length = 5});
  CHECK(row(padded.examples, 0) == std::vector<float>{1, 1, 1, 1, 0});
  CHECK(padded.padded == 3);
  const auto centred =
      one_hot_counted(of({"TTATT", "A", "CATC", "CA"}), {.fit = fitting::centre, .length = 3});
  CHECK(row(centred.examples, 0) == std::vector<float>{0, 1, 0});
  const auto first_row = [&](std::size_t i) {
    const auto numbers = centred.examples.values(i).subspan(0, 3);
    return std::vector<float>(numbers.begin(), numbers.end());
  };
  CHECK(first_row(1) == std::vector<float>{0, 1, 0});
  CHECK(first_row(2) == std::vector<float>{0, 1, 0});  // CAT: the odd letter is cut at the end
  CHECK(first_row(3) == std::vector<float>{0, 1, 0});  // CA0
  CHECK(centred.cut == 2);
  CHECK(centred.padded == 2);
  CHECK(centred.letters == 3 + 1 + 3 + 2);
}

TEST_CASE("letters are counted by what they are") {
  const auto out = one_hot_counted(of({"ANnRBx-", "ACGTACG"}), {.unknown = unknown_letters::as_any});
  CHECK(out.letters == 14);
  CHECK(out.any == 2);
  CHECK(out.ambiguous == 2);
  CHECK(out.unknown == 2);
  CHECK(out.padded == 0);
  CHECK(row(out.examples, 4) == std::vector<float>{0, 1, 1, 0, 0, 1, 1});
}

TEST_CASE("letters of no nucleotide and unequal lengths are told with record and position") {
  const auto complaint = [](std::vector<std::string> texts, const data::one_hot_options& options = {}) {
    return message_of<data_error>([&] { (void)one_hot(of(std::move(texts)), options); });
  };
  CHECK(complaint({"ACG", "AXG"}) ==
        "f, sequence 2, position 2: \"X\" stands for no nucleotide; correct it, or choose "
        "unknown_letters::as_any to have it read as N.");
  CHECK(
      complaint({"ACG", "AC"}) ==
      "f, sequence 2 has 2 letters, where 3 are those of the longest; choose fitting::pad or fitting::centre "
      "to have zeros in place of missing ones.");
  CHECK(says(complaint({"ACG", "ACG"}, {.length = 2}),
             {"sequence 1 has 3 letters, where 2 were asked for", "cut"}));
  CHECK(says(complaint({"ACG"}, {.fit = fitting::pad, .length = 2}), {"where 2 were asked for"}));
  CHECK(says(complaint({"AXXXA"}, {.fit = fitting::centre, .length = 3}), {"position 2"}));
  CHECK(complaint({"XXAXX"}, {.fit = fitting::centre, .length = 1}).empty());
  CHECK(says(complaint({}), {"f holds no sequence"}));
  CHECK(says(complaint({"", "A"}), {"sequence 1 has no letters"}));
  CHECK(says(message_of<data_error>([] { (void)data::reverse_complement("AC-"); }),
             {"position 3 holds \"-\""}));
  CHECK(says(message_of<usage_error>([] {
               (void)data::reverse_complement(data::labelled_set("f", {4, 1}, {1, 0, 0, 0}, {0}, {"a"}));
             }),
             {"f does not hold one-hot sequences"}));
}
