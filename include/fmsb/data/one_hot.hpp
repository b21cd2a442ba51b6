#pragma once
#include "fmsb/core/error.hpp"        // data_error, usage_error
#include "fmsb/data/labelled.hpp"     // labelled_set
#include "fmsb/data/nucleotides.hpp"  // bases_of
#include "fmsb/data/sequences.hpp"    // sequences
#include "fmsb/data/text_lines.hpp"   // shown_character

#include <algorithm>    // std::max, std::min
#include <array>        // std::array
#include <bit>          // std::popcount
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// The rows of a one-hot sequence, in the order of the genomic tasks released with DASH.
inline constexpr std::string_view one_hot_rows = "ATCGN";

/// Of each of these rows, that of the letter which pairs with its own.
inline constexpr std::array<std::size_t, 5> complement_rows{1, 0, 3, 2, 4};

/// What becomes of a letter that stands for no nucleotide.
enum class unknown_letters {
  refuse,  ///< an error that names record and position
  as_any,  ///< it is read as N, and counted
};

/// How sequences get one length.
enum class fitting {
  exact,   ///< all have it already; anything else is an error
  pad,     ///< zeros follow a shorter one; a longer one is an error
  centre,  ///< middle on middle: zeros at both ends of a shorter one, a longer one loses both its ends
};

struct one_hot_options {
  unknown_letters unknown = unknown_letters::refuse;
  fitting fit = fitting::exact;
  /// Positions of every array; 0: those of the longest sequence. Take the train part's for a test part.
  std::size_t length = 0;
};

/// Encoded sequences, and what a report should say of their letters.
struct one_hot_result {
  labelled_set examples;      ///< {5, length}
  std::size_t letters = 0;    ///< encoded, less those cut off
  std::size_t any = 0;        ///< of these N
  std::size_t ambiguous = 0;  ///< of these that stand for two or three bases
  std::size_t unknown = 0;    ///< of these read as N though they stand for no nucleotide
  std::size_t padded = 0;     ///< sequences that were shorter than the length
  std::size_t cut = 0;        ///< sequences that were longer
};

namespace detail {

inline std::size_t one_hot_length(const sequences& from, const one_hot_options& options) {
  if (from.size() == 0) throw data_error(from.name() + " holds no sequence to encode.");
  const std::size_t length = options.length > 0 ? options.length : from.longest();
  for (const auto& one : from) {
    if (one.text.empty()) throw data_error(one.place + " has no letters; take it out.");
    if (one.text.size() == length || options.fit == fitting::centre) continue;
    if (one.text.size() < length && options.fit == fitting::pad) continue;
    throw data_error(one.place + " has " + std::to_string(one.text.size()) + " letters, where " +
                     std::to_string(length) +
                     (options.length > 0 ? " were asked for; " : " are those of the longest; ") +
                     (one.text.size() < length
                          ? "choose fitting::pad or fitting::centre to have zeros in place of missing ones."
                          : "choose fitting::centre to cut its ends, or a greater length."));
  }
  return length;
}

}  // namespace detail

/// Encodes sequences as arrays of {5, length}, rows A, T, C, G, N, upper and lower case alike.
///
/// A base is 1 in its row; U is T; N is 1 in the row N. A letter that stands for two or three bases has equal
/// shares in their rows: R, A or G, is 1/2 in both. So every letter's column adds up to 1; where there is no
/// letter, it is zero. With fitting::centre, an odd letter more is cut, or an odd zero put, at the end.
///
/// @throws data_error  naming the record: another length than `fit` allows, a letter for no nucleotide and
/// its
///                     position, no sequence at all
///
/// Source: Shen et al., "Efficient Architecture Search for Diverse Tasks", NeurIPS 2022, released code: order
/// of rows.
inline one_hot_result one_hot_counted(const sequences& from, const one_hot_options& options = {}) {
  const std::size_t length = detail::one_hot_length(from, options), each = one_hot_rows.size() * length;
  std::vector<float> values(from.size() * each);
  std::vector<int> labels;
  std::size_t letters = 0, any = 0, ambiguous = 0, unknown = 0, padded = 0, cut = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::string_view text = from[i].text;
    const std::size_t kept = std::min(text.size(), length);
    const bool centred = options.fit == fitting::centre;
    const std::size_t skipped = (text.size() - kept) / 2, before = centred ? (length - kept) / 2 : 0;
    padded += text.size() < length ? 1u : 0u;
    cut += text.size() > length ? 1u : 0u;
    letters += kept;
    for (std::size_t k = 0; k < kept; ++k) {
      float* const column = values.data() + i * each + before + k;
      const unsigned bases = bases_of(text[skipped + k]);
      const int choices = std::popcount(bases);
      if (choices == 0 && options.unknown == unknown_letters::refuse)
        throw data_error(
            from[i].place + ", position " + std::to_string(skipped + k + 1) + ": " +
            detail::shown_character(text[skipped + k]) +
            " stands for no nucleotide; correct it, or choose unknown_letters::as_any to have it "
            "read as N.");
      unknown += choices == 0 ? 1u : 0u;
      any += choices == 4 ? 1u : 0u;
      ambiguous += choices == 2 || choices == 3 ? 1u : 0u;
      if (choices == 0 || choices == 4) {
        column[4 * length] = 1;
        continue;
      }
      for (std::size_t base = 0; base < 4; ++base)
        if ((bases >> base & 1u) != 0) column[base * length] = 1 / static_cast<float>(choices);
    }
    labels.push_back(from[i].label);
  }
  return {.examples = {from.name(),
                       {one_hot_rows.size(), length},
                       std::move(values),
                       std::move(labels),
                       from.classes()},
          .letters = letters,
          .any = any,
          .ambiguous = ambiguous,
          .unknown = unknown,
          .padded = padded,
          .cut = cut};
}

/// The arrays alone of one_hot_counted.
inline labelled_set one_hot(const sequences& from, const one_hot_options& options = {}) {
  return one_hot_counted(from, options).examples;
}

/// The other strand of one encoded sequence, read in its own direction: rows A and T and rows C and G change
/// places, positions are reversed. Padding changes ends, too.
///
/// @param from  [5, length], rows A, T, C, G, N
/// @param to    as many numbers, elsewhere
/// @throws usage_error where sizes differ or are no multiple of 5
inline void reverse_complement(std::span<const float> from, std::span<float> to) {
  if (from.size() != to.size() || from.size() % complement_rows.size() != 0)
    throw usage_error("reverse_complement: " + std::to_string(from.size()) + " numbers were to become " +
                      std::to_string(to.size()) + "; give as many to write to, five rows of one length.");
  const std::size_t length = from.size() / complement_rows.size();
  for (std::size_t row = 0; row < complement_rows.size(); ++row)
    for (std::size_t k = 0; k < length; ++k)
      to[complement_rows[row] * length + length - 1 - k] = from[row * length + k];
}

/// The other strand of every encoded sequence, labels kept.
/// @throws usage_error where the arrays are not [5, length]
inline labelled_set reverse_complement(const labelled_set& from) {
  if (from.shape().size() != 2 || from.shape()[0] != one_hot_rows.size())
    throw usage_error("reverse_complement: " + from.name() +
                      " does not hold one-hot sequences, arrays of {5, length}; make them by one_hot.");
  std::vector<float> values(from.values().size());
  for (std::size_t i = 0; i < from.size(); ++i)
    reverse_complement(from.values(i),
                       std::span(values).subspan(i * from.numbers_each(), from.numbers_each()));
  return {from.name(),
          from.shape(),
          std::move(values),
          {from.labels().begin(), from.labels().end()},
          from.classes()};
}

}  // namespace fmsb::data
