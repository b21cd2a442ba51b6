#pragma once
#include "fmsb/report/heat_map.hpp"  // heat_map

#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::report {

/// Colours that are told apart with any colour vision and in print.
/// Source: Okabe and Ito, "Color Universal Design", 2008, less yellow, which is faint on white.
enum class colour { blue, vermilion, green, purple, sky, orange, black, grey };

enum class stroke { solid, dashed, dotted, points };

/// A line through (x, y). Where y is NaN the line is broken.
struct curve {
  std::string name;  ///< for the legend; none where empty
  std::vector<double> x{}, y{};
  colour ink = colour::blue;
  stroke look = stroke::solid;
  double width = 1.8;  ///< of the line, or across its points; in points
};

/// The area between two lines, as of a prediction interval.
struct band {
  std::string name;
  std::vector<double> x{}, lower{}, upper{};
  colour ink = colour::blue;
  double opacity = 0.25;
};

/// A point with a word beside it.
struct mark {
  double x = 0, y = 0;
  std::string text{};
  colour ink = colour::black;
};

/// One diagram. The map is drawn first, then bands, rules, curves and marks, each in their order.
struct panel {
  std::string title{}, x_label{}, y_label{};
  std::vector<band> bands{};
  std::vector<curve> curves{};
  std::vector<mark> marks{};
  std::vector<double> rules{};  ///< places of thin vertical lines
  bool x_is_time = false;       ///< x counts seconds since 1970
  bool x_logarithmic = false, y_logarithmic = false;
  double y_low = std::numeric_limits<double>::quiet_NaN();   ///< lower end of the axis; NaN: from the data
  double y_high = std::numeric_limits<double>::quiet_NaN();  ///< upper end of the axis; NaN: from the data
  std::vector<std::string> rows{};  ///< names at y = 0, 1, ... instead of numbers, the first on top
  heat_map map{};                   ///< over these rows; none where it has no values
};

/// Panels one below the other, or side by side.
struct figure {
  std::vector<panel> panels{};
  std::size_t columns = 1;
  unsigned panel_width = 960, panel_height = 400;  ///< pixels; 96 to the inch in a PDF
};

}  // namespace fmsb::report
