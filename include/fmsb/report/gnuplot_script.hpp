#pragma once
#include "fmsb/core/number_text.hpp"         // number_text
#include "fmsb/report/figure.hpp"            // figure
#include "fmsb/report/gnuplot_heat_map.hpp"  // map_block, row_names, kPalette
#include "fmsb/report/gnuplot_text.hpp"      // coordinate, gnuplot_text, rgb

#include <algorithm>         // std::max
#include <cmath>             // std::isfinite
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <limits>            // std::numeric_limits
#include <string>            // std::string
#include <string_view>       // std::string_view
#include <utility>           // std::pair
#include <vector>            // std::vector

namespace fmsb::report::detail {

class gnuplot_script {
 public:
  gnuplot_script(const figure& drawing, std::string_view format)
      : any_script_(format == "svg"),
        letter_scale_(format == "svg" ? 1 : 0.75),
        panel_width_(drawing.panel_width),
        panel_height_(drawing.panel_height) {
    const std::size_t columns = std::max<std::size_t>(1, std::min(drawing.columns, drawing.panels.size()));
    const std::size_t rows = std::max<std::size_t>(1, (drawing.panels.size() + columns - 1) / columns);
    const auto width = columns * drawing.panel_width, height = rows * drawing.panel_height;
    open_terminal(format, width, height);
    put("set encoding utf8");
    put("set multiplot layout " + std::to_string(rows) + "," + std::to_string(columns));
    for (const auto& p : drawing.panels) draw(p);
    put("unset multiplot");
  }

  const std::string& text() const { return out_; }

 private:
  void put(const std::string& line) { out_ += line + '\n'; }

  void open_terminal(std::string_view format, std::size_t width, std::size_t height) {
    const std::string size = std::to_string(width) + "," + std::to_string(height);
    if (format == "svg")
      put("set terminal svg noenhanced size " + size + " dynamic font 'DejaVu Sans,12' background '#FFFFFF'");
    else if (format == "png")  // twice the pixels, so that the picture stays sharp on dense screens
      put("set terminal pngcairo noenhanced size " + std::to_string(2 * width) + "," +
          std::to_string(2 * height) +
          " fontscale 2 linewidth 2 pointscale 2 dashlength 2 font 'DejaVu Sans,9' background '#FFFFFF'");
    else
      put("set terminal pdfcairo noenhanced size " + number_text(static_cast<double>(width) / 96) + "in," +
          number_text(static_cast<double>(height) / 96) + "in font 'DejaVu Sans,9' background '#FFFFFF'");
  }

  /// Columns of numbers under a name of their own, to be plotted by that name.
  std::string block(std::initializer_list<const std::vector<double>*> columns) {
    const std::string name = "$data" + std::to_string(++blocks_);
    put(name + " << END_OF_DATA");
    std::size_t rows = (*columns.begin())->size();
    for (const auto* column : columns) rows = std::min(rows, column->size());
    for (std::size_t i = 0; i < rows; ++i) {
      std::string line;
      bool known = true;
      for (const auto* column : columns) {
        known = known && std::isfinite((*column)[i]);
        line += (line.empty() ? "" : " ") + coordinate((*column)[i]);
      }
      put(known ? line : "");  // a blank line breaks the curve
    }
    put("END_OF_DATA");
    return name;
  }

  std::string words(const std::string& text) const { return gnuplot_text(text, any_script_); }

  std::string titled(const std::string& name) const {
    return name.empty() ? " notitle" : " title " + words(name);
  }

  /// Lines that the legend takes: names must not run out of the panel, and stand in columns of equal width.
  std::size_t legend_rows(const panel& p) const {
    std::size_t named = 0, longest = 0;
    const auto count = [&](const std::string& name) {
      if (!name.empty()) ++named;
      longest = std::max(longest, name.size());
    };
    for (const auto& b : p.bands) count(b.name);
    for (const auto& c : p.curves) count(c.name);
    const std::size_t room = std::max<std::size_t>(1, (panel_width_ - 80) / (7 * longest + 50));  // pixels
    const std::size_t rows = (named + room - 1) / room;
    return p.rows.empty() ? std::max<std::size_t>(1, rows) : rows;
  }

  void axes(const panel& p, bool drawn) {
    put("reset");
    put("set datafile missing 'NaN'");
    put("set border 3 linecolor rgb '#888888' linewidth 0.8");
    put("set tics nomirror out scale 0.6 textcolor rgb '#333333'");
    put("set grid linetype 1 linecolor rgb '#E4E4E4' linewidth 0.7");
    const std::size_t legend = legend_rows(p);
    put("set label " + words(p.title) + " at graph 0, graph 1 offset character 0, character " +
        number_text(0.8 + 1.2 * static_cast<double>(legend)) + " left font '," +
        number_text(any_script_ ? 15 : 11) + "' textcolor rgb '#111111'");
    put("set xlabel " + words(p.x_label) + " textcolor rgb '#333333'");
    put("set ylabel " + words(p.y_label) + " textcolor rgb '#333333'");
    put("set key at graph 0, graph 1.01 left bottom vertical Left reverse maxrows " + std::to_string(legend) +
        " samplen 2.2 width 1 textcolor rgb '#333333'");
    put("set tmargin " + number_text(2.4 + 1.2 * static_cast<double>(legend)));
    if (p.rows.empty()) {
      put("set autoscale xfix");
      put("set offsets graph 0, graph 0.015, graph 0.03, graph 0.03");
      put("set lmargin 10");  // the same in every panel, so that their axes stand in line
    } else {
      row_axis(p);
    }
    put("set rmargin " + std::string(p.map.values.empty() ? "5" : p.map.legend.empty() ? "11" : "13"));
    if (p.x_is_time && drawn) {
      put("set xdata time");
      put("set timefmt '%s'");
      put("set format x " + gnuplot_text(time_format(p)));
    }
    if (p.x_logarithmic && drawn) put("set logscale x");
    if (p.y_logarithmic && drawn && p.rows.empty()) put("set logscale y");
    if (p.rows.empty() && (!std::isnan(p.y_low) || !std::isnan(p.y_high)))
      put("set yrange [" + bound(p.y_low) + ":" + bound(p.y_high) + "]");
    for (const double x : p.rules)
      put("set arrow from " + coordinate(x) + ", graph 0 to " + coordinate(x) +
          ", graph 1 nohead back dashtype (6,4) linecolor rgb '#999999' linewidth 1");
    for (const auto& m : p.marks)
      put("set label " + words(m.text) + " at " + coordinate(m.x) + "," + coordinate(m.y) + " " +
          side_of(p, m) + " offset character " + (side_of(p, m) == "right" ? "-0.8" : "0.8") +
          ",0.8 front point pointtype 7 pointsize 1 linecolor rgb '" + rgb(m.ink) + "' textcolor rgb '" +
          rgb(m.ink) + "'");
  }

  /// Pixels of the diagram itself, about: a letter's line takes 14, the axis below three of them.
  double inner_height(const panel& p) const {
    const double lines = 6.5 + 1.2 * static_cast<double>(legend_rows(p));
    return std::max(40.0, static_cast<double>(panel_height_) - 14 * lines);
  }

  void row_axis(const panel& p) {
    const row_names names(p, inner_height(p));
    put(names.tics(p, letter_scale_, any_script_));
    put("set lmargin " + number_text(names.margin));
    put("set yrange [" + number_text(static_cast<double>(p.rows.size()) - 0.5) + ":-0.5]");
    if (p.map.values.empty()) return;
    put("unset grid");
    put("set border 15 linecolor rgb '#C8C8C8' linewidth 0.6");
  }

  /// The map with its scale of colours at the right. @return what plots it
  std::string map(const panel& p) {
    const bool smoothed = any_script_;
    const map_block block(p.map, p.rows.size(), smoothed ? static_cast<double>(panel_width_) - 140 : 0,
                          smoothed ? inner_height(p) : 0);
    const std::string name = "$data" + std::to_string(++blocks_);
    put(name + " << END_OF_DATA\n" + block.text() + "END_OF_DATA");
    return name + block.element();
  }

  void map_axes(const panel& p) {
    const map_block block(p.map, p.rows.size(), 0, 0);
    const auto [low, high] = colour_range(p.map);
    put("set xrange [" + number_text(block.x_low()) + ":" + number_text(block.x_high()) + "]");
    if (block.few_columns() && !p.x_is_time)
      put("set xtics " + coordinate(p.map.x_first) + "," + coordinate(p.map.x_step));
    put(kPalette);
    put("set cbrange [" + number_text(low) + ":" + number_text(high) + "]");
    put("set colorbox user origin graph 1.02, graph 0 size graph 0.025, graph 1 noborder");
    put("set cbtics scale 0 offset character -0.6, 0 textcolor rgb '#333333'");
    put("set cblabel " + words(p.map.legend) + (any_script_ ? " offset -2,0" : "") +
        " textcolor rgb '#333333'");
  }

  static std::string bound(double value) { return std::isnan(value) ? "*" : number_text(value); }

  static std::pair<double, double> x_span(const panel& p) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    const auto widen = [&](const std::vector<double>& xs) {
      for (const double x : xs) {
        low = x < low ? x : low;
        high = x > high ? x : high;
      }
    };
    for (const auto& c : p.curves) widen(c.x);
    for (const auto& b : p.bands) widen(b.x);
    if (!p.map.values.empty()) {
      const map_block block(p.map, p.rows.size(), 0, 0);
      widen({block.x_low(), block.x_high()});
    }
    return {low, high};
  }

  /// Words stand on the side of their point on which there is more room.
  static std::string side_of(const panel& p, const mark& m) {
    const auto [low, high] = x_span(p);
    return m.x > low + 0.6 * (high - low) ? "right" : "left";
  }

  static std::string time_format(const panel& p) {
    const auto [low, high] = x_span(p);
    const double days = (high - low) / 86400;
    return days < 1.5 ? "%H:%M" : days < 12 ? "%d %b %H:%M" : days < 800 ? "%d %b %Y" : "%Y";
  }

  /// Whether any place has a number in every column; gnuplot fails on data that have none.
  static bool has_points(std::initializer_list<const std::vector<double>*> columns) {
    for (std::size_t i = 0;; ++i) {
      bool known = true;
      for (const auto* column : columns) {
        if (i >= column->size()) return false;
        known = known && std::isfinite((*column)[i]);
      }
      if (known) return true;
    }
  }

  static std::string dashes(stroke look) {
    return look == stroke::dashed ? " dashtype (7,4)" : look == stroke::dotted ? " dashtype (2.5,2.5)" : "";
  }

  void draw(const panel& p) {
    std::string plot;
    const auto add = [&](const std::string& element) {
      plot += (plot.empty() ? "plot " : ", \\\n     ") + element;
    };
    if (!p.map.values.empty() && has_points({&p.map.values})) add(map(p));
    for (const auto& b : p.bands)
      if (has_points({&b.x, &b.lower, &b.upper}))
        add(block({&b.x, &b.lower, &b.upper}) + " using 1:2:3 with filledcurves linecolor rgb '" +
            rgb(b.ink) + "' fillstyle transparent solid " + number_text(b.opacity) + " noborder" +
            titled(b.name));
    for (const auto& c : p.curves)
      if (has_points({&c.x, &c.y}))
        add(block({&c.x, &c.y}) + " using 1:2 with " +
            (c.look == stroke::points ? "points pointtype 7 pointsize " + number_text(c.width / 3.6)
                                      : "lines linewidth " + number_text(c.width) + dashes(c.look)) +
            " linecolor rgb '" + rgb(c.ink) + "'" + titled(c.name));
    axes(p, !plot.empty());
    if (!p.map.values.empty()) map_axes(p);
    const bool has_range = !p.map.values.empty();
    put(!plot.empty() ? plot : has_range ? "plot NaN notitle" : "plot [0:1] [0:1] NaN notitle");
  }

  std::string out_;
  std::size_t blocks_ = 0;
  bool any_script_;      ///< whether the terminal leaves fonts, and how it enlarges a picture, to the viewer
  double letter_scale_;  ///< the terminal's unit of letters, pixels or points, in a pixel
  std::size_t panel_width_, panel_height_;
};

}  // namespace fmsb::report::detail
