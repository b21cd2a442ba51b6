#pragma once
#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/data/csv_cells.hpp"   // parse_number
#include "fmsb/data/series.hpp"      // series
#include "fmsb/data/timestamps.hpp"  // print_timestamp

#include <charconv>     // std::to_chars
#include <cmath>        // std::isnan, std::isinf
#include <cstddef>      // std::size_t
#include <ostream>      // std::ostream
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb::data {

/// A cell by RFC 4180: in quotes where it holds a delimiter, a quote, a line end, blanks around it or
/// nothing, and where it would read as a number or a timestamp.
inline std::string csv_cell(std::string_view text, char delimiter = ',') {
  const char special[] = {delimiter, '"', '\n', '\r', '\0'};
  const bool plain = !text.empty() && text.front() != ' ' && text.back() != ' ' &&
                     text.find_first_of(special) == std::string_view::npos && !detail::parse_number(text) &&
                     !parse_timestamp(text) && !text.starts_with("\xEF\xBB\xBF") && text.front() != '\xFF' &&
                     text.front() != '\xFE';
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

/// Writes a header and one line a row, every number in the fewest digits that read back to the same double.
/// A gap becomes an empty cell. Timestamps, where there are any, come first, under `time_name`.
/// @throws usage_error on an infinite number, which a table cannot hold
inline void write_csv(std::ostream& out, const series& table, std::string_view time_name = "date",
                      char delimiter = ',') {
  std::string text;
  const auto times = table.times();
  const auto put_delimiter = [&](bool needed) { needed ? text.push_back(delimiter) : void(); };
  if (!times.empty()) text += csv_cell(time_name, delimiter);
  for (std::size_t c = 0; c < table.channels(); ++c) {
    put_delimiter(c > 0 || !times.empty());
    text += csv_cell(table.names()[c], delimiter);
  }
  text += '\n';
  const bool alone = table.channels() == 1 && times.empty();
  for (std::size_t t = 0; t < table.length(); ++t) {
    if (!times.empty()) text += print_timestamp(times[t]);
    for (std::size_t c = 0; c < table.channels(); ++c) {
      put_delimiter(c > 0 || !times.empty());
      const double value = table.channel(c)[t];
      if (std::isinf(value))
        throw usage_error("write_csv: channel \"" + table.names()[c] + "\" is infinite at row " +
                          std::to_string(t + 1) + "; only finite numbers and gaps can be written.");
      if (std::isnan(value)) {
        if (alone) text += "\"\"";  // a blank line would be no row at all
        continue;
      }
      char digits[32];
      text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    text += '\n';
    if (text.size() > (1 << 16)) {
      out << text;
      text.clear();
    }
  }
  out << text;
}

}  // namespace fmsb::data
