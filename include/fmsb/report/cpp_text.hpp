#pragma once
#include "fmsb/core/utf8.hpp"  // first_letter

#include <algorithm>    // std::find, std::min
#include <cstddef>      // std::size_t
#include <iterator>     // std::begin, std::end
#include <string>       // std::string
#include <string_view>  // std::string_view

/// What a program that writes C++ has to mind: names, quoted texts, comments.
namespace fmsb::report::detail {

/// Whether a text can be the name of something in a namespace: letters, digits and single underscores, a
/// letter first, no underscore last, and no word of the language. `std` and `fmsb` are refused, too: they
/// would hide the names that a written header uses.
inline bool is_cpp_name(std::string_view text) {
  static constexpr std::string_view kWords[] = {
      "alignas",   "alignof",      "and",           "and_eq",
      "asm",       "auto",         "bitand",        "bitor",
      "bool",      "break",        "case",          "catch",
      "char",      "char16_t",     "char32_t",      "char8_t",
      "class",     "co_await",     "co_return",     "co_yield",
      "compl",     "concept",      "const",         "const_cast",
      "consteval", "constexpr",    "constinit",     "continue",
      "decltype",  "default",      "delete",        "do",
      "double",    "dynamic_cast", "else",          "enum",
      "explicit",  "export",       "extern",        "false",
      "float",     "fmsb",         "for",           "friend",
      "goto",      "if",           "inline",        "int",
      "long",      "mutable",      "namespace",     "new",
      "noexcept",  "not",          "not_eq",        "nullptr",
      "operator",  "or",           "or_eq",         "private",
      "protected", "public",       "register",      "reinterpret_cast",
      "requires",  "return",       "short",         "signed",
      "sizeof",    "static",       "static_assert", "static_cast",
      "std",       "struct",       "switch",        "template",
      "this",      "thread_local", "throw",         "true",
      "try",       "typedef",      "typeid",        "typename",
      "union",     "unsigned",     "using",         "virtual",
      "void",      "volatile",     "wchar_t",       "while",
      "xor",       "xor_eq"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !letter(text.front()) || text.back() == '_') return false;
  if (text.find("__") != std::string_view::npos) return false;  // reserved for the compiler
  for (const char c : text)
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '_') return false;
  return std::find(std::begin(kWords), std::end(kWords), text) == std::end(kWords);
}

/// A text as a C++ string literal in ASCII: what is no plain letter is escaped, and so is a question mark
/// after another, which would begin a trigraph.
inline std::string cpp_literal(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool trigraph = c == '?' && i > 0 && text[i - 1] == '?';
    if (c < 0x20 || c >= 0x7F) {  // three digits of base eight, so that a digit behind them stays outside
      out += '\\';
      for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + (c >> shift & 7));
    } else {
      if (c == '"' || c == '\\' || trigraph) out += '\\';
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

/// The same on lines of about 90 letters, which the compiler joins: broken behind a semicolon, else a comma,
/// else anywhere.
inline std::string broken_literal(std::string_view text, std::string_view indent) {
  constexpr std::size_t kLetters = 88;
  std::string out;
  do {
    std::size_t end = text.size();
    if (end > kLetters) {
      end = text.substr(0, kLetters).rfind(';') + 1;  // none: 0
      if (end == 0) end = text.substr(0, kLetters).rfind(',') + 1;
      if (end == 0) end = kLetters;
    }
    out += (out.empty() ? "" : "\n") + std::string(indent) + cpp_literal(text.substr(0, end));
    text.remove_prefix(end);
  } while (!text.empty());
  return out;
}

/// A text on one line of a comment: control characters, line ends of Unicode among them, become blanks;
/// bytes that are no UTF-8, and marks that turn the direction of what is read, become question marks.
inline std::string comment_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [bytes, code, whole] = fmsb::detail::first_letter(text);
    const bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
    out += !whole || turns ? "?" : control ? " " : std::string(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return out;
}

/// A text as lines of a `//` comment, broken at blanks before column 100; what goes on is indented. A word
/// that is longer stays whole. No line ends in what would join the next to it.
inline std::string comment_lines(std::string_view text, std::string_view mark = "//") {
  constexpr std::size_t kColumns = 100;
  std::string out, line(mark);
  const auto finish = [&] {
    if (line.ends_with('\\') || line.ends_with("?\?/")) line += " .";
    out += line + '\n';
    line = std::string(mark) + "  ";
  };
  bool empty = true;
  const std::string plain = comment_text(text);
  for (std::size_t i = 0; (i = plain.find_first_not_of(' ', i)) != std::string::npos;) {
    const std::size_t end = std::min(plain.find(' ', i), plain.size());
    if (!empty && line.size() + 1 + end - i > kColumns) {
      finish();
      empty = true;
    }
    line += ' ' + plain.substr(i, end - i);
    empty = false;
    i = end;
  }
  finish();
  return out;
}

}  // namespace fmsb::report::detail
