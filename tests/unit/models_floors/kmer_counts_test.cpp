#include "fmsb/models/floors/kmer_counts.hpp"

#include "fmsb/core/error.hpp"

#include "support/property.hpp"

#include <cctype>   // std::toupper
#include <cmath>    // std::abs
#include <cstddef>  // std::size_t
#include <map>      // std::map
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using fmsb::models::kmer_counts;

namespace {

std::string word(std::size_t place, int k) {
  std::string out;
  for (int i = k - 1; i >= 0; --i) out += "ACGT"[place >> (2 * i) & 3];
  return out;
}

}  // namespace

TEST_CASE("kmer_counts: the share of every word, whatever the case, words with other letters left out") {
  CHECK(fmsb::test::holds("by a map of substrings", [] {
    const int k = *rc::gen::inRange(1, 5);
    std::vector<std::string> texts(*rc::gen::inRange<std::size_t>(0, 4));
    for (auto& text : texts)
      for (auto left = *rc::gen::inRange(0, 40); left > 0; --left)
        text += *rc::gen::elementOf(std::string("ACGTacgtN"));
    const kmer_counts counts(texts, k);
    RC_ASSERT(counts.texts == texts.size());
    RC_ASSERT(counts.words == std::size_t{1} << (2 * k));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::map<std::string, double> plain;
      double all = 0;
      for (std::size_t at = 0; at + static_cast<std::size_t>(k) <= texts[i].size(); ++at) {
        auto part = texts[i].substr(at, static_cast<std::size_t>(k));
        for (char& c : part) c = static_cast<char>(std::toupper(c));
        if (part.find('N') != std::string::npos) continue;
        ++plain[part];
        ++all;
      }
      for (std::size_t w = 0; w < counts.words; ++w) {
        const double share = all > 0 ? plain[word(w, k)] / all : 0;
        RC_ASSERT(std::abs(static_cast<double>(counts.shares[i * counts.words + w]) - share) < 1e-7);
      }
    }
  }));
}

TEST_CASE("kmer_counts: words of no letter and of too many are refused") {
  const std::vector<std::string> texts{"ACGT"};
  CHECK_THROWS_AS(kmer_counts(texts, 0), fmsb::usage_error);
  CHECK_THROWS_AS(kmer_counts(texts, 9), fmsb::usage_error);
  CHECK(kmer_counts(texts, 2).shares[1] == doctest::Approx(1 / 3.0));  // AC
}
