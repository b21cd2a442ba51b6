#pragma once
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/report/figure.hpp"     // figure

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

/// A text in gnuplot's single quotes, in which nothing but the quote itself has a meaning. Control characters
/// become blanks; bytes that are no UTF-8 would stop the cairo terminals and become question marks.
/// @param any_script  false: question marks also for writing systems that the terminal may have no font for:
///                    the cairo terminals draw a missing letter as a black blot over the whole picture
inline std::string gnuplot_text(std::string_view text, bool any_script = true) {
  std::string out = "'";
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = lead < 0x80   ? 1
                              : lead < 0xC2 ? 0
                              : lead < 0xE0 ? 2
                              : lead < 0xF0 ? 3
                              : lead < 0xF5 ? 4
                                            : 0;
    bool whole = bytes > 0 && i + bytes <= text.size();
    unsigned code = bytes < 2 ? lead : lead & (0x7Fu >> bytes);
    for (std::size_t k = 1; whole && k < bytes; ++k) {
      whole = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    }
    // Latin, Greek, Cyrillic and their neighbours, then letters with accents, punctuation, arrows and signs.
    const bool common = code < 0x0700 || (code >= 0x1D00 && code < 0x2C00);
    if (!whole || !(any_script || common))
      out += '?';
    else if (code < 0x20 || code == 0x7F)
      out += ' ';
    else
      out += code == '\'' ? "''" : std::string(text.substr(i, bytes));
    i += whole ? bytes : 1;
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

class gnuplot_script {
 public:
  gnuplot_script(const figure& drawing, std::string_view format)
      : any_script_(format == "svg"),
        title_size_(format == "svg" ? 15 : 11),
        panel_width_(drawing.panel_width) {
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
    return std::max<std::size_t>(1, (named + room - 1) / room);
  }

  void axes(const panel& p, bool drawn) {
    put("reset");
    put("set datafile missing 'NaN'");
    put("set border 3 linecolor rgb '#888888' linewidth 0.8");
    put("set tics nomirror out scale 0.6 textcolor rgb '#333333'");
    put("set grid linetype 1 linecolor rgb '#E4E4E4' linewidth 0.7");
    const std::size_t legend = legend_rows(p);
    put("set label " + words(p.title) + " at graph 0, graph 1 offset character 0, character " +
        number_text(0.8 + 1.2 * static_cast<double>(legend)) + " left font '," + number_text(title_size_) +
        "' textcolor rgb '#111111'");
    put("set xlabel " + words(p.x_label) + " textcolor rgb '#333333'");
    put("set ylabel " + words(p.y_label) + " textcolor rgb '#333333'");
    put("set key at graph 0, graph 1.01 left bottom vertical Left reverse maxrows " + std::to_string(legend) +
        " samplen 2.2 width 1 textcolor rgb '#333333'");
    put("set tmargin " + number_text(2.4 + 1.2 * static_cast<double>(legend)));
    put("set autoscale xfix");
    put("set offsets graph 0, graph 0.015, graph 0.03, graph 0.03");
    put("set lmargin 10");  // the same in every panel, so that their axes stand in line
    put("set rmargin 5");
    if (p.x_is_time && drawn) {
      put("set xdata time");
      put("set timefmt '%s'");
      put("set format x " + gnuplot_text(time_format(p)));
    }
    if (p.x_logarithmic && drawn) put("set logscale x");
    if (p.y_logarithmic && drawn) put("set logscale y");
    if (!std::isnan(p.y_low) || !std::isnan(p.y_high))
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
    for (const auto& b : p.bands)
      if (has_points({&b.x, &b.lower, &b.upper}))
        add(block({&b.x, &b.lower, &b.upper}) + " using 1:2:3 with filledcurves linecolor rgb '" +
            rgb(b.ink) + "' fillstyle transparent solid " + number_text(b.opacity) + " noborder" +
            titled(b.name));
    for (const auto& c : p.curves)
      if (has_points({&c.x, &c.y}))
        add(block({&c.x, &c.y}) + " using 1:2 with " +
            (c.look == stroke::points ? std::string("points pointtype 7 pointsize 0.5")
                                      : "lines linewidth " + number_text(c.width) + dashes(c.look)) +
            " linecolor rgb '" + rgb(c.ink) + "'" + titled(c.name));
    axes(p, !plot.empty());
    put(plot.empty() ? "plot [0:1] [0:1] NaN notitle" : plot);
  }

  std::string out_;
  std::size_t blocks_ = 0;
  bool any_script_;  ///< whether the terminal leaves fonts to the viewer
  int title_size_;
  std::size_t panel_width_;
};

}  // namespace fmsb::report::detail
