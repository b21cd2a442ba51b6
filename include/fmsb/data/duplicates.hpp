#pragma once
#include "fmsb/core/error.hpp"      // usage_error
#include "fmsb/data/labelled.hpp"   // labelled_set, train_examples
#include "fmsb/data/sequences.hpp"  // sequences

#include <bit>            // std::bit_cast
#include <cstddef>        // std::size_t
#include <cstdint>        // std::uint32_t, std::uint64_t
#include <optional>       // std::optional
#include <span>           // std::span
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <vector>         // std::vector

namespace fmsb::data {

/// An example that stands elsewhere, too.
struct duplicate {
  std::size_t copy = 0;      ///< its number
  std::size_t original = 0;  ///< the number of the first one that equals it
  bool operator==(const duplicate&) const = default;
};

/// Whether "acgt" equals "ACGT".
enum class letter_case { ignored, matters };

namespace detail {

/// FNV-1a over bytes or words; a hit is compared in full, so that a collision costs time only.
class content_hash {
 public:
  void add(std::uint64_t word) { state_ = (state_ ^ word) * 0x100000001b3u; }
  std::uint64_t value() const { return state_ ^ (state_ >> 29); }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

constexpr char folded(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Texts of sequences, compared as asked.
struct sequence_keys {
  const sequences& from;
  letter_case by;

  std::size_t size() const { return from.size(); }
  char letter(char c) const { return by == letter_case::ignored ? folded(c) : c; }
  std::uint64_t hash(std::size_t i) const {
    content_hash out;
    for (const char c : from[i].text) out.add(static_cast<unsigned char>(letter(c)));
    return out.value();
  }
  bool equal(std::size_t i, const sequence_keys& other, std::size_t j) const {
    const std::string_view a = from[i].text, b = other.from[j].text;
    bool same = a.size() == b.size();
    for (std::size_t k = 0; same && k < a.size(); ++k) same = letter(a[k]) == letter(b[k]);
    return same;
  }
};

/// Numbers of arrays, compared to the bit, but for the two zeros, which are equal.
struct array_keys {
  const labelled_set& from;

  std::size_t size() const { return from.size(); }
  static std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x == 0 ? 0.0f : x); }
  std::uint64_t hash(std::size_t i) const {
    content_hash out;
    for (const float x : from.values(i)) out.add(bits(x));
    return out.value();
  }
  bool equal(std::size_t i, const array_keys& other, std::size_t j) const {
    const auto a = from.values(i), b = other.from.values(j);
    bool same = a.size() == b.size();
    for (std::size_t k = 0; same && k < a.size(); ++k) same = bits(a[k]) == bits(b[k]);
    return same;
  }
};

/// Distinct contents by hash, each with the first number that has it.
template <class Keys>
class first_of_each {
 public:
  explicit first_of_each(const Keys& keys) : keys_(keys) { held_.reserve(keys.size()); }

  std::optional<std::size_t> find(const Keys& other, std::size_t i, std::uint64_t hash) const {
    const auto [low, high] = held_.equal_range(hash);
    for (auto at = low; at != high; ++at)
      if (other.equal(i, keys_, at->second)) return at->second;
    return std::nullopt;
  }
  void add(std::size_t i, std::uint64_t hash) { held_.emplace(hash, i); }

 private:
  const Keys& keys_;
  std::unordered_multimap<std::uint64_t, std::size_t> held_;
};

template <class Keys>
std::vector<duplicate> duplicates_between(const Keys& of, const Keys& in) {
  first_of_each<Keys> held(in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto hash = in.hash(i);
    if (!held.find(in, i, hash)) held.add(i, hash);
  }
  std::vector<duplicate> out;
  for (std::size_t i = 0; i < of.size(); ++i)
    if (const auto original = held.find(of, i, of.hash(i))) out.push_back({i, *original});
  return out;
}

template <class Keys>
std::vector<duplicate> duplicates_within(const Keys& keys) {
  first_of_each<Keys> held(keys);
  std::vector<duplicate> out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto hash = keys.hash(i);
    if (const auto original = held.find(keys, i, hash)) {
      out.push_back({i, *original});
    } else {
      held.add(i, hash);
    }
  }
  return out;
}

template <class Set>
Set without(const Set& all, std::span<const duplicate> copies) {
  std::vector<std::size_t> kept;
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (next < copies.size() && copies[next].copy == i) {
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  return all.subset(kept);
}

}  // namespace detail

/// The sequences of one part that stand in another, in rising order; labels take no part. Case is ignored
/// unless asked otherwise: lower case marks repeats of a genome, the molecule is the same.
inline std::vector<duplicate> duplicates(const sequences& of, const sequences& in,
                                         letter_case by = letter_case::ignored) {
  return detail::duplicates_between(detail::sequence_keys{of, by}, detail::sequence_keys{in, by});
}

/// The sequences that an earlier one of the same set equals: a split at random would tear such apart.
inline std::vector<duplicate> duplicates(const sequences& of, letter_case by = letter_case::ignored) {
  return detail::duplicates_within(detail::sequence_keys{of, by});
}

/// The arrays of one part that stand in another, every number the same.
/// @throws usage_error where the shapes differ
inline std::vector<duplicate> duplicates(const labelled_set& of, const labelled_set& in) {
  if (of.shape() != in.shape())
    throw usage_error("fmsb::data::duplicates: the arrays of " + of.name() + " and of " + in.name() +
                      " differ in shape, so none can be equal; encode both alike.");
  return detail::duplicates_between(detail::array_keys{of}, detail::array_keys{in});
}

/// The arrays that an earlier one of the same set equals.
inline std::vector<duplicate> duplicates(const labelled_set& of) {
  return detail::duplicates_within(detail::array_keys{of});
}

/// What is left of a part without the examples that stand in another, such as of test without train.
inline sequences without_duplicates(const sequences& of, const sequences& in,
                                    letter_case by = letter_case::ignored) {
  return detail::without(of, duplicates(of, in, by));
}

/// The first of each: what may be divided at random without tearing copies apart.
inline sequences without_duplicates(const sequences& all, letter_case by = letter_case::ignored) {
  return detail::without(all, duplicates(all, by));
}
template <role R>
labelled_part<R> without_duplicates(const labelled_part<R>& all) {
  return labelled_part<R>(detail::without(all.members(), duplicates(all.members())));
}

/// The same of encoded parts. @throws usage_error where the shapes differ
template <role Of, role In>
labelled_part<Of> without_duplicates(const labelled_part<Of>& of, const labelled_part<In>& in) {
  return labelled_part<Of>(detail::without(of.members(), duplicates(of.members(), in.members())));
}

}  // namespace fmsb::data
