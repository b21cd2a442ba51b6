#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t, std::uint32_t
#include <string>       // std::string
#include <string_view>  // std::string_view

/// What tables, trees and progress lines need of a text that people look at.
namespace fmsb {

/// 17,420
inline std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

/// Columns that a terminal gives to a UTF-8 text: accents that combine take none, East Asian wide forms two.
inline std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t code = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
    for (std::size_t k = 1; k < bytes && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    i += bytes;
    const auto within = [&](std::uint32_t low, std::uint32_t high) { return code >= low && code <= high; };
    if (within(0x300, 0x36F) || within(0x200B, 0x200F) || within(0xFE00, 0xFE0F)) continue;
    const bool wide = within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) || within(0xAC00, 0xD7A3) ||
                      within(0xF900, 0xFAFF) || within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) ||
                      within(0x1F300, 0x1FAFF) || within(0x20000, 0x3FFFD);
    width += wide ? 2 : 1;
  }
  return width;
}

}  // namespace fmsb
