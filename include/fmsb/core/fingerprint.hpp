#pragma once
#include "fmsb/core/constant_text.hpp"  // text_of, hashing_outlet
#include "fmsb/core/error.hpp"          // data_error

#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb {

/// 64-bit FNV-1a of a text; a constant when the text is one.
constexpr std::uint64_t hash_of(std::string_view text) {
  hashing_outlet out;
  write(out, text);
  return out.hash;
}

/// What identifies a space, a point or a model in a file: a readable text and its hash.
///
/// Two fingerprints agree when their texts do; the hash is for file names and table columns. The text
/// is not owned: it belongs to a constant (`fingerprint_of<T>`) or to the caller's string.
struct fingerprint {
  std::string_view text;
  std::uint64_t hash = 0;

  constexpr explicit fingerprint(std::string_view described) : text(described), hash(hash_of(described)) {}
  friend constexpr bool operator==(const fingerprint& a, const fingerprint& b) { return a.text == b.text; }
};

/// The fingerprint of a type that describes itself; equal under g++ and clang, on every machine.
template <describes_itself T>
inline constexpr fingerprint fingerprint_of{text_of<T>.view()};

/// Sixteen hexadecimal digits.
inline std::string hash_text(std::uint64_t hash) {
  string_outlet out;
  write(out, hash, 16);
  return std::string(16 - out.text.size(), '0') + out.text;
}

/// As it is printed and stored: the hash, a blank, the text.
inline std::string to_string(const fingerprint& of) {
  return hash_text(of.hash) + ' ' + std::string(of.text);
}

/// Refuses what was made for something else.
/// @param where  what is being read, as the message shall name it: a path, usually
/// @throws data_error  which prints both fingerprints, unless `found` equals `expected`
inline void require_fingerprint(const fingerprint& expected, const fingerprint& found,
                                std::string_view where) {
  if (expected == found) return;
  throw data_error(std::string(where) + " was written for another type: it holds " + to_string(found) +
                   ", but this program expects " + to_string(expected) +
                   ". Read it with the program that wrote it, or write it anew.");
}

}  // namespace fmsb
