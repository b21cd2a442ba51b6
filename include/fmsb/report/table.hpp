#pragma once
#include "fmsb/core/display_text.hpp"  // display_width, grouped
#include "fmsb/core/error.hpp"         // usage_error

#include <algorithm>    // std::max
#include <cmath>        // std::isfinite
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstdio>       // std::snprintf
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::report {

/// A number with so many digits behind the point, and a dash where it is not finite.
inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[352];
  std::snprintf(text, sizeof text, "%.*f", std::min(digits, 17), value);
  const std::string_view shown(text);
  const bool minus_zero = shown.starts_with('-') && shown.find_first_not_of("-0.") == std::string_view::npos;
  return std::string(shown.substr(minus_zero ? 1 : 0));
}

using fmsb::display_width;
using fmsb::grouped;

/// Rows of cells under headings. A column is set flush right where its cells are numbers (or dashes), else
/// flush left.
class table {
 public:
  explicit table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  /// @throws usage_error unless there is one cell a heading
  void add(std::vector<std::string> cells) {
    if (cells.size() != headings_.size())
      throw usage_error("table: a row of " + std::to_string(cells.size()) + " cells under " +
                        std::to_string(headings_.size()) + " headings.");
    rows_.push_back(std::move(cells));
  }

  std::size_t rows() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }

  /// Lines for a terminal, columns two blanks apart, each line without blanks at its end.
  std::string text() const {
    const auto layout = columns([](const std::string& cell) { return cell; });
    std::string out = line(headings_, layout, "", "  ", "");
    for (const auto& row : rows_) out += line(row, layout, "", "  ", "");
    return out;
  }

  /// A table in GitHub's Markdown; bars and line ends within cells are escaped.
  std::string markdown() const {
    const auto layout = columns(&table::escaped);
    std::vector<std::string> rule;
    for (const auto& column : layout)
      rule.push_back(std::string(std::max<std::size_t>(column.width, 3) - 1, '-') +
                     (column.numeric ? ":" : "-"));
    std::string out =
        line(mapped(headings_), layout, "| ", " | ", " |") + line(rule, layout, "| ", " | ", " |");
    for (const auto& row : rows_) out += line(mapped(row), layout, "| ", " | ", " |");
    return out;
  }

 private:
  struct column_layout {
    std::size_t width = 0;
    bool numeric = true;
  };

  static bool is_number(std::string_view cell) {
    return cell == "-" || cell.empty() ||
           (cell.find_first_of("0123456789") != std::string_view::npos &&
            cell.find_first_not_of("0123456789.,+-%e") == std::string_view::npos);
  }

  static std::string escaped(const std::string& cell) {
    std::string out;
    for (const char c : cell) {
      if (c == '|' || c == '\\') out += '\\';
      out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out;
  }

  static std::vector<std::string> mapped(const std::vector<std::string>& cells) {
    std::vector<std::string> out;
    for (const auto& cell : cells) out.push_back(escaped(cell));
    return out;
  }

  template <class Shown>
  std::vector<column_layout> columns(Shown shown) const {
    std::vector<column_layout> out(headings_.size());
    for (std::size_t c = 0; c < out.size(); ++c) {
      out[c].width = display_width(shown(headings_[c]));
      for (const auto& row : rows_) {
        out[c].width = std::max(out[c].width, display_width(shown(row[c])));
        out[c].numeric = out[c].numeric && is_number(row[c]);
      }
    }
    return out;
  }

  static std::string line(const std::vector<std::string>& cells, const std::vector<column_layout>& layout,
                          std::string_view before, std::string_view between, std::string_view after) {
    std::string out(before);
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::size_t width = display_width(cells[c]);
      const std::string blanks(layout[c].width > width ? layout[c].width - width : 0, ' ');
      out += c == 0 ? "" : between;
      out += layout[c].numeric ? blanks + cells[c] : cells[c] + blanks;
    }
    out += after;
    out.erase(out.find_last_not_of(' ') + 1);
    return out + '\n';
  }

  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace fmsb::report
