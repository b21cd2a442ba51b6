#pragma once
#include <charconv>      // std::to_chars, std::from_chars
#include <optional>      // std::optional
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::errc
#include <type_traits>   // std::is_arithmetic_v

namespace fmsb {

/// The shortest text that reads back as the same number; independent of the locale.
template <class Number>
std::string number_text(Number number) {
  static_assert(std::is_arithmetic_v<Number>, "fmsb::number_text: only numbers have a number's text");
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, end};
}

/// The number that the whole text spells, or nothing; independent of the locale.
template <class Number>
std::optional<Number> read_number(std::string_view text) {
  static_assert(std::is_arithmetic_v<Number>, "fmsb::read_number: only numbers can be read as numbers");
  if (text.starts_with('+')) text.remove_prefix(1);  // std::from_chars knows only the minus sign
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace fmsb
