#pragma once
#include "fmsb/data/series.hpp"  // series

#include <algorithm>  // std::all_of
#include <charconv>   // std::to_chars
#include <cmath>      // std::abs
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

/// A number that stands for "no measurement", as -9999 does in the tables of many loggers.
struct sentinel {
  std::size_t channel = 0;
  double value = 0;
  std::size_t count = 0;      ///< rows that hold it
  std::size_t first_row = 0;  ///< the first of them, counted from 0

  bool operator==(const sentinel&) const = default;
};

namespace detail {

/// Whether loggers and file formats are known to write this number for "no measurement": nothing but nines
/// (99, -9999, 999.9), the ends of the 16- and 32-bit integers, and what no instrument shows (1e20, 9.97e36).
inline bool is_customary_code(double value) {
  const double size = std::abs(value);
  if (size >= 1e15) return true;
  for (const double end : {-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0, 4294967295.0})
    if (value == end) return true;
  if (size < 99) return false;
  char digits[32];
  const char* const stop = std::to_chars(digits, digits + sizeof digits, size).ptr;
  return std::all_of(static_cast<const char*>(digits), stop, [](char c) { return c == '9' || c == '.'; });
}

/// Smallest and largest number within the open interval (floor, ceiling), and the neighbours inside of them.
struct extremes {
  double low = std::numeric_limits<double>::infinity(), second_low = low;
  double high = -low, second_high = -low;

  extremes(std::span<const double> values, double floor, double ceiling) {
    for (const double x : values) {
      if (!(x > floor && x < ceiling)) continue;  // gaps, too
      if (x < low) {
        second_low = low;
        low = x;
      } else if (x > low && x < second_low) {
        second_low = x;
      }
      if (x > high) {
        second_high = high;
        high = x;
      } else if (x < high && x > second_high) {
        second_high = x;
      }
    }
  }
};

}  // namespace detail

/// Numbers that look like codes rather than measurements, channel by channel from the outermost inwards.
///
/// An extreme value of a channel is taken for one where it is (a) a customary code (all nines as -999 or
/// 9999.9, an end of the 16- or 32-bit integers, or 1e15 and beyond) that lies further from all other numbers
/// than these are spread, or (b) any number that occurs at least three times, at most in half of the rows,
/// and lies further than ten times their spread. The rule is a guess: report what it finds before masking it.
inline std::vector<sentinel> find_sentinels(const series& rows) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<sentinel> out;
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    const auto values = rows.channel(c);
    double floor = -kInfinity, ceiling = kInfinity;
    const auto is_code = [&](double candidate, double nearest, double spread) {
      const double away = std::abs(candidate - nearest);
      if (detail::is_customary_code(candidate) && away > spread) return true;
      if (!(spread > 0) || !(away > 10 * spread)) return false;
      const auto count = static_cast<std::size_t>(std::count(values.begin(), values.end(), candidate));
      return count >= 3 && 2 * count <= values.size();
    };
    for (bool found = true; found;) {
      found = false;
      const detail::extremes ends(values, floor, ceiling);
      if (!(ends.second_low < kInfinity)) break;  // fewer than two numbers are left to compare
      // A code at one end must not hide the code at the other by widening the spread.
      const double top = detail::is_customary_code(ends.high) ? ends.second_high : ends.high;
      const double bottom = detail::is_customary_code(ends.low) ? ends.second_low : ends.low;
      const auto note = [&](double code) {
        const auto first = std::find(values.begin(), values.end(), code);
        out.push_back({c, code, static_cast<std::size_t>(std::count(first, values.end(), code)),
                       static_cast<std::size_t>(first - values.begin())});
        found = true;
      };
      if (is_code(ends.low, ends.second_low, std::max(top - ends.second_low, 0.0))) note(floor = ends.low);
      if (is_code(ends.high, ends.second_high, std::max(ends.second_high - bottom, 0.0)))
        note(ceiling = ends.high);
    }
  }
  return out;
}

/// A copy in which every row that holds one of the given codes in its channel has a gap there.
inline series mask_sentinels(const series& rows, std::span<const sentinel> codes) {
  std::vector<double> values;
  values.reserve(rows.channels() * rows.length());
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    for (double x : rows.channel(c)) {
      for (const auto& code : codes)
        if (code.channel == c && code.value == x) x = std::numeric_limits<double>::quiet_NaN();
      values.push_back(x);
    }
  }
  return {rows.names(), {rows.times().begin(), rows.times().end()}, std::move(values)};
}

}  // namespace fmsb::data
