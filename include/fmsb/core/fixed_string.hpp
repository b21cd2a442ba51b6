#pragma once
#include <algorithm>    // std::copy_n
#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

namespace fmsb {

/// Text that may stand as a template argument: the name of an axis, of a child, of a setting.
///
/// @tparam Length  characters, without the closing zero
///
/// Written as a string literal wherever a template takes one: `p.get<"kernel">()`.
template <std::size_t Length>
struct fixed_string {
  char text[Length + 1]{};  // public and an array: a class with private members cannot be a template argument

  constexpr fixed_string() = default;
  constexpr fixed_string(const char (&literal)[Length + 1]) { std::copy_n(literal, Length, text); }

  constexpr std::string_view view() const { return {text, Length}; }
  static constexpr std::size_t size() { return Length; }
};

template <std::size_t Bytes>
fixed_string(const char (&)[Bytes]) -> fixed_string<Bytes - 1>;

template <std::size_t A, std::size_t B>
constexpr bool operator==(const fixed_string<A>& left, const fixed_string<B>& right) {
  return left.view() == right.view();
}

}  // namespace fmsb
