#pragma once
#include "fmsb/core/error.hpp"          // data_error
#include "fmsb/data/text_encoding.hpp"  // to_utf8

#include <algorithm>    // std::count, std::min
#include <cstddef>      // std::ptrdiff_t, std::size_t
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view

/// What every reader of a text file needs before it looks at the meaning of a line.
namespace fmsb::data::detail {

/// The text less its byte order mark.
/// @param wanted  what the file should be, "this is no table in text; give a CSV file"
/// @throws data_error for UTF-16 and where a zero byte says that this is no text
inline std::string_view plain_text(std::string_view text, const std::string& name, const char* wanted) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xEF\xBB\xBF"sv)) text.remove_prefix(3);
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv))
    throw data_error(name + " is written in UTF-16; save it as UTF-8.");
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    throw data_error(
        name + ", row " +
        std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n')) +
        " holds a zero byte, so " + wanted + ".");
  return text;
}

/// Walks over the lines of a text; they end by \n, \r\n or \r.
class line_cursor {
 public:
  explicit line_cursor(std::string_view text) : rest_(text) {}

  /// Takes the next line, without its end. False where there is none.
  bool next() {
    if (rest_.empty()) return false;
    ++number_;
    const auto end = rest_.find_first_of("\r\n");
    line_ = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      const bool both = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
      rest_.remove_prefix(end + (both ? 2 : 1));
    }
    return true;
  }

  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }  ///< of the line, from 1

 private:
  std::string_view rest_, line_;
  std::size_t number_ = 0;
};

/// A text less the blanks and tabs around it.
constexpr std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// A text of a file as it stands in a message: in quotes, as UTF-8, cut where it is long.
inline std::string quoted(std::string_view text) {
  std::size_t end = std::min<std::size_t>(text.size(), 40);
  const bool cut = end < text.size();
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // no half character
  return "\"" + to_utf8(text.substr(0, end)) + (cut ? "...\"" : "\"");
}

constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// One character as it stands in a message.
inline std::string shown_character(char c) {
  if (c > ' ' && c < '\x7F') return std::string("\"") + c + "\"";
  if (c == ' ') return "a blank";
  return "the byte " + std::to_string(static_cast<unsigned>(static_cast<unsigned char>(c)));
}

}  // namespace fmsb::data::detail
