#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <cmath>        // std::isfinite, std::isnan
#include <cstddef>      // std::size_t
#include <limits>       // std::numeric_limits
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::pair
#include <vector>       // std::vector

namespace fmsb::report {

/// A table of numbers as colours, from dark blue to yellow; cells that are not finite stay white. Its rows
/// are those of the panel: row r stands at y = r, the first on top.
///
/// The colours are those of viridis, whose lightness grows evenly, so that equal steps look equal in print
/// and to any colour vision. Source: van der Walt and Smith, "A Better Default Colormap for Matplotlib",
/// 2015.
struct heat_map {
  std::vector<double> values{};    ///< [rows, columns], row by row
  double x_first = 0, x_step = 1;  ///< the middle of the first column, and from one to the next
  std::string legend{};            ///< beside the colour bar
  double low = std::numeric_limits<double>::quiet_NaN();   ///< darkest colour; NaN: the least value
  double high = std::numeric_limits<double>::quiet_NaN();  ///< lightest colour; NaN: the greatest value
};

namespace detail {

/// The values of the darkest and the lightest colour.
inline std::pair<double, double> colour_range(const heat_map& map) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double v : map.values)
    if (std::isfinite(v)) {
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
  if (low > high) low = high = std::isnan(map.low) ? std::isnan(map.high) ? 0 : map.high : map.low;
  if (!std::isnan(map.low)) low = map.low;
  if (!std::isnan(map.high)) high = map.high;
  if (low < high) return {low, high};
  // One value alone takes the middle colour; an end that the caller gave stays where it is.
  const double room = low == 0 ? 1 : std::abs(low) / 2;
  if (!std::isnan(map.high)) return {high - 2 * room, high};
  if (!std::isnan(map.low)) return {low, low + 2 * room};
  return {low - room, high + room};
}

/// @throws usage_error where a map cannot be drawn over so many rows and this axis below
inline void check(const heat_map& map, std::size_t rows, bool x_logarithmic, std::string_view title) {
  const auto refuse = [&](const std::string& why) {
    throw usage_error("heat_map: \"" + std::string(title) + "\": " + why);
  };
  if (map.values.empty()) return;
  if (rows == 0) refuse("the panel's `rows` name no row; give a name, which may be empty, for each.");
  if (map.values.size() % rows != 0)
    refuse(std::to_string(map.values.size()) + " values do not fill " + std::to_string(rows) +
           " rows of equal length.");
  if (x_logarithmic)
    refuse("the columns of a map stand in equal steps, which a logarithmic axis cannot show.");
  if (!std::isfinite(map.x_first) || !std::isfinite(map.x_step) || map.x_step <= 0)
    refuse("columns go from a finite x_first in steps above zero.");
  if (std::isinf(map.low) || std::isinf(map.high) || map.low >= map.high)
    refuse("`low` must be below `high`, and both finite (or NaN: from the values).");
}

}  // namespace detail

}  // namespace fmsb::report
