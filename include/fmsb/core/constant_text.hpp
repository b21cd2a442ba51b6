#pragma once
#include "fmsb/core/fixed_string.hpp"  // fixed_string

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb {

/// Text written once and read in four ways: a type or a value writes itself into an *outlet* with
/// `write` below, and the outlet counts the characters, keeps them, hashes them or appends them to a
/// string. The first three work in constant expressions, so that one description serves as the
/// compile-time text, the fingerprint and the run-time message.
struct counting_outlet {
  std::size_t size = 0;
  constexpr void put(char) { ++size; }
};

template <std::size_t Length>
struct fixed_outlet {
  fixed_string<Length> kept;
  std::size_t size = 0;
  constexpr void put(char c) { kept.text[size++] = c; }
};

/// 64-bit FNV-1a, byte by byte. Source: Fowler, Noll and Vo, "The FNV non-cryptographic hash
/// algorithm" (IETF draft-eastlake-fnv), section 2 and the 64-bit constants of section 5.
struct hashing_outlet {
  std::uint64_t hash = 0xcbf29ce484222325u;
  constexpr void put(char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u; }
};

struct string_outlet {
  std::string text;
  void put(char c) { text.push_back(c); }
};

template <class Outlet>
constexpr void write(Outlet& out, std::string_view text) {
  for (const char c : text) out.put(c);
}

template <class Outlet>
constexpr void write(Outlet& out, std::uint64_t number, unsigned base = 10) {
  char digits[20]{};
  std::size_t count = 0;
  do digits[count++] = "0123456789abcdef"[number % base];
  while ((number /= base) != 0);
  while (count != 0) out.put(digits[--count]);
}

template <class Outlet>
constexpr void write_integer(Outlet& out, std::int64_t number) {
  if (number < 0) out.put('-');
  write(out, number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number));
}

/// A type that describes itself: `T::write_text(outlet)`.
template <class T>
concept describes_itself = requires(counting_outlet& out) {
  T::write_text(out);
};

namespace detail {

template <describes_itself T>
consteval auto constant_text_of() {
  constexpr std::size_t length = [] {
    counting_outlet out;
    T::write_text(out);
    return out.size;
  }();
  fixed_outlet<length> out;
  T::write_text(out);
  return out.kept;
}

}  // namespace detail

/// The description of a type as a constant: the same characters under every compiler, unlike what
/// `typeid` or `__PRETTY_FUNCTION__` give.
template <describes_itself T>
inline constexpr auto text_of = detail::constant_text_of<T>();

}  // namespace fmsb
