#pragma once
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/core/utf8.hpp"         // first_letter
#include "fmsb/report/figure.hpp"     // colour

#include <cmath>        // std::isfinite
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb::report::detail {

/// A text in gnuplot's single quotes, in which nothing but the quote itself has a meaning. Control characters
/// become blanks; bytes that are no UTF-8 would stop the cairo terminals and become question marks.
/// @param any_script  false: question marks also for writing systems that the terminal may have no font for:
///                    the cairo terminals draw a missing letter as a black blot over the whole picture
inline std::string gnuplot_text(std::string_view text, bool any_script = true) {
  std::string out = "'";
  while (!text.empty()) {
    const auto [bytes, code, whole] = fmsb::detail::first_letter(text);
    // Latin, Greek, Cyrillic and their neighbours, then letters with accents, punctuation, arrows and signs.
    const bool common = code < 0x0700 || (code >= 0x1D00 && code < 0x2C00);
    if (!whole || !(any_script || common))
      out += '?';
    else if (code < 0x20 || code == 0x7F)
      out += ' ';
    else
      out += code == '\'' ? "''" : std::string(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return out + "'";
}

inline const char* rgb(colour ink) {
  switch (ink) {
    case colour::blue:
      return "#0072B2";
    case colour::vermilion:
      return "#D55E00";
    case colour::green:
      return "#009E73";
    case colour::purple:
      return "#CC79A7";
    case colour::sky:
      return "#56B4E9";
    case colour::orange:
      return "#E69F00";
    case colour::black:
      return "#222222";
    case colour::grey:
      break;
  }
  return "#8A8A8A";
}

inline std::string coordinate(double value) {
  if (!std::isfinite(value)) return "NaN";
  // The reader of times wants whole seconds in full; the shortest text of 1500000000 would be 1.5e+09.
  if (std::abs(value) < 1e15 && value == std::trunc(value)) return number_text(static_cast<long long>(value));
  return number_text(value);
}

}  // namespace fmsb::report::detail
