#pragma once
#include "fmsb/core/display_text.hpp"    // display_width
#include "fmsb/core/number_text.hpp"     // number_text
#include "fmsb/report/figure.hpp"        // panel
#include "fmsb/report/gnuplot_text.hpp"  // coordinate, gnuplot_text
#include "fmsb/report/heat_map.hpp"      // heat_map, colour_range

#include <algorithm>  // std::clamp, std::max
#include <cmath>      // std::ceil, std::isfinite
#include <cstddef>    // std::size_t
#include <string>     // std::string
#include <vector>     // std::vector

namespace fmsb::report::detail {

/// How a panel's rows are written at its left: letters as large as the rows allow, and where even the least
/// that can be read are too large, only every so many names.
struct row_names {
  double letters = 12;    ///< height, in pixels
  std::size_t every = 1;  ///< names the first row, and then each so many
  double margin = 10;     ///< left of the axis, in characters

  row_names(const panel& p, double height) {
    const double row = height / static_cast<double>(std::max<std::size_t>(1, p.rows.size()));
    letters = std::clamp(0.82 * row, 8.0, 12.0);
    every = static_cast<std::size_t>(std::ceil(9 / std::max(row, 0.01)));
    every = std::max<std::size_t>(1, row >= 9 ? 1 : every);
    std::size_t longest = 0;
    for (std::size_t r = 0; r < p.rows.size(); r += every)
      longest = std::max(longest, display_width(p.rows[r]));
    margin = std::max(p.y_label.empty() ? 6.0 : 8.0,
                      0.087 * letters * static_cast<double>(longest) + (p.y_label.empty() ? 2.0 : 4.5));
  }

  /// The line that puts them there. @param scale  units of the terminal's letters in a pixel
  std::string tics(const panel& p, double scale, bool any_script) const {
    std::string list;
    for (std::size_t r = 0; r < p.rows.size(); r += every)
      list += (r == 0 ? "" : ", ") + gnuplot_text(p.rows[r], any_script) + " " + std::to_string(r);
    return "set ytics scale 0 (" + list + ") font '," + number_text(scale * letters) + "'";
  }
};

/// The colours of viridis at even distances.
inline constexpr const char* kPalette =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3E4989', 3 '#31688E', 4 '#26828E', 5 '#1F9E89', "
    "6 '#35B779', 7 '#6ECE58', 8 '#B5DE2B', 9 '#FDE725')";

/// A map as gnuplot draws it: a matrix in which every value may be repeated. Viewers of SVG smooth a picture
/// that they enlarge, which would blur the cells into one another; and gnuplot refuses a single row or
/// column.
class map_block {
 public:
  /// @param width, height  pixels of the map; 0 where the terminal enlarges without smoothing
  map_block(const heat_map& map, std::size_t rows, double width, double height)
      : map_(map), rows_(rows), columns_(map.values.size() / rows) {
    across_ = repeats(width, columns_);
    down_ = repeats(height, rows_);
  }

  /// Where few columns have their middles, for the axis to count them: more take numbers of their own.
  bool few_columns() const { return columns_ <= 12; }
  double x_low() const { return map_.x_first - map_.x_step / 2; }
  double x_high() const { return x_low() + map_.x_step * static_cast<double>(columns_); }

  /// Lines of numbers, the first row first.
  std::string text() const {
    std::string out;
    for (std::size_t r = 0; r < rows_; ++r) {
      std::string line;
      for (std::size_t c = 0; c < columns_; ++c) {
        const double v = map_.values[r * columns_ + c];
        const std::string cell = std::isfinite(v) ? number_text(v) + " " : "NaN ";
        for (std::size_t i = 0; i < across_; ++i) line += cell;
      }
      for (std::size_t i = 0; i < down_; ++i) out += line + "\n";
    }
    return out;
  }

  /// The middle of each number's place, from its counts in the matrix.
  std::string element() const {
    const auto middle = [](const std::string& count, std::size_t times) {
      return "((" + count + "+0.5)/" + std::to_string(times) + ".-0.5)";
    };
    return " matrix using (" + coordinate(map_.x_first) + "+" + coordinate(map_.x_step) + "*" +
           middle("$1", across_) + "):(" + middle("$2", down_) + "):3 with image notitle";
  }

 private:
  static std::size_t repeats(double pixels, std::size_t cells) {
    const double wanted = std::clamp(std::ceil(pixels / static_cast<double>(cells)), 1.0, 64.0);
    return std::max<std::size_t>(cells == 1 ? 2 : 1, static_cast<std::size_t>(wanted));
  }

  const heat_map& map_;
  std::size_t rows_, columns_, across_ = 1, down_ = 1;
};

}  // namespace fmsb::report::detail
