#pragma once
#include "fmsb/core/error.hpp"       // data_error
#include "fmsb/data/text_lines.hpp"  // shown_character

#include <cstddef>      // std::size_t
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view

/// The letters of nucleotides and what they stand for.
///
/// Source: Nomenclature Committee of the International Union of Biochemistry, "Nomenclature for incompletely
/// specified bases in nucleic acid sequences", 1984 recommendations.
namespace fmsb::data {

/// The bases that a letter may stand for, a bit each: A 1, T 2, C 4, G 8. Upper and lower case alike, U as T,
/// N all four; 0 for what is no nucleotide's letter.
constexpr unsigned bases_of(char letter) {
  constexpr unsigned a = 1, t = 2, c = 4, g = 8;
  switch (letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter) {
    case 'A':
      return a;
    case 'C':
      return c;
    case 'G':
      return g;
    case 'T':
      return t;
    case 'U':
      return t;
    case 'R':
      return a | g;  // purine
    case 'Y':
      return c | t;  // pyrimidine
    case 'S':
      return c | g;  // strong
    case 'W':
      return a | t;  // weak
    case 'K':
      return g | t;  // keto
    case 'M':
      return a | c;  // amino
    case 'B':
      return c | g | t;
    case 'D':
      return a | g | t;
    case 'H':
      return a | c | t;
    case 'V':
      return a | c | g;
    case 'N':
      return a | c | g | t;
    default:
      return 0;
  }
}

/// The letter that pairs with a letter, in the same case: A with T, R (A or G) with Y (T or C); U gives A.
/// The zero character for what is no nucleotide's letter.
constexpr char complement(char letter) {
  constexpr std::string_view from = "ACGTURYSWKMBDHVN", to = "TGCAAYRSWMKVHDBN";
  const bool lower = letter >= 'a' && letter <= 'z';
  const auto place = from.find(lower ? static_cast<char>(letter - 'a' + 'A') : letter);
  if (place == std::string_view::npos) return '\0';
  return lower ? static_cast<char>(to[place] - 'A' + 'a') : to[place];
}

/// The other strand, read in its own direction. Case goes with the letters.
/// @throws data_error naming the position of what is no nucleotide's letter
inline std::string reverse_complement(std::string_view letters) {
  std::string out(letters.size(), '\0');
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const char other = complement(letters[i]);
    if (other == '\0')
      throw data_error(
          "reverse_complement: position " + std::to_string(i + 1) + " holds " +
          detail::shown_character(letters[i]) +
          ", which stands for no nucleotide; use A, C, G, T, U or an ambiguity letter of IUPAC.");
    out[letters.size() - 1 - i] = other;
  }
  return out;
}

}  // namespace fmsb::data
