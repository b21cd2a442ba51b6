#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t
#include <span>     // std::span
#include <string>   // std::string, std::to_string
#include <vector>   // std::vector

namespace fmsb::models {

/// Of each text, what share of its words of k letters is each of the 4^k words over A, C, G, T.
struct kmer_counts {
  int k = 0;
  std::size_t texts = 0, words = 0;  ///< rows and columns of `shares`
  std::vector<float> shares;         ///< [texts, words], words in alphabetical order; a row sums to 1 or to 0

  /// Letters count in either case. A word that holds any other letter (N, a gap) is left out; a text without
  /// a word has a row of zeros.
  /// @param length  k, from 1 to 8
  /// @throws usage_error for another length
  kmer_counts(std::span<const std::string> of, int length) : k(length), texts(of.size()) {
    if (k < 1 || k > 8)
      throw usage_error("kmer_counts: words of " + std::to_string(k) +
                        " letters were asked for; give 1 to 8 letters, for there are 4^k words.");
    words = std::size_t{1} << (2 * k);
    shares.assign(texts * words, 0.0F);
    for (std::size_t i = 0; i < texts; ++i) count(of[i], std::span(shares).subspan(i * words, words));
  }

 private:
  void count(const std::string& text, std::span<float> row) const {
    std::uint32_t word = 0;
    int letters = 0;  // known ones up to here, without a gap
    double found = 0;
    for (const char letter : text) {
      const int code = code_of(letter);
      letters = code < 0 ? 0 : letters + 1;
      word = (word << 2 | static_cast<std::uint32_t>(code & 3)) & static_cast<std::uint32_t>(words - 1);
      if (letters < k) continue;
      ++row[word];
      ++found;
    }
    if (found > 0)
      for (float& x : row) x = static_cast<float>(static_cast<double>(x) / found);
  }

  static int code_of(char letter) {
    switch (letter) {
      case 'a':
      case 'A':
        return 0;
      case 'c':
      case 'C':
        return 1;
      case 'g':
      case 'G':
        return 2;
      case 't':
      case 'T':
        return 3;
      default:
        return -1;
    }
  }
};

}  // namespace fmsb::models
