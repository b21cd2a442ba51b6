#pragma once
#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

namespace fmsb::detail {

/// What a text begins with.
struct utf8_letter {
  std::size_t bytes = 1;  ///< to step over
  char32_t code = 0;
  bool whole = false;  ///< false: the byte belongs to no letter; step over it alone
};

/// The first letter of a text that is not empty, strictly: no letter in more bytes than it needs, no
/// surrogates, nothing above U+10FFFF. Source: RFC 3629, section 4.
constexpr utf8_letter first_letter(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, lead, true};
  const std::size_t bytes = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (bytes == 0 || bytes > text.size()) return {1, lead, false};
  char32_t code = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0u) != 0x80) return {1, lead, false};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const char32_t least = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < least || surrogate || code > 0x10FFFF) return {1, lead, false};
  return {bytes, code, true};
}

}  // namespace fmsb::detail
