#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/report/figure.hpp"     // panel

#include <algorithm>  // std::max_element, std::nth_element
#include <cmath>      // std::isfinite
#include <cstddef>    // std::size_t
#include <iterator>   // std::size
#include <limits>     // std::numeric_limits
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::report {

/// The interval that a forecast comes with, at one level.
struct forecast_interval {
  double level = 0;                  ///< share of the targets that it should hold, as .8
  std::vector<double> lower, upper;  ///< [horizon]
};

/// One channel before and after the origin of a forecast.
struct forecast_picture {
  std::string title{}, x_label{}, y_label{};
  std::vector<double> past_x{}, past{};  ///< what the forecast could see, most recent last
  std::vector<double> x{}, forecast{};   ///< [horizon]
  std::vector<double> truth{};           ///< [horizon], where it is known
  std::vector<forecast_interval> intervals{};
  bool x_is_time = false;  ///< x counts seconds since 1970
};

/// The recent past, the forecast, its intervals (the widest palest) and, where known, what came to pass.
/// The forecast is joined to the last known value, so that the eye is not led across a gap.
/// @throws usage_error where the lengths do not fit one another
inline panel forecast_panel(const forecast_picture& picture) {
  const std::size_t horizon = picture.x.size();
  bool fits = picture.past_x.size() == picture.past.size() && picture.forecast.size() == horizon &&
              (picture.truth.empty() || picture.truth.size() == horizon);
  for (const auto& interval : picture.intervals)
    fits = fits && interval.lower.size() == horizon && interval.upper.size() == horizon;
  if (!fits)
    throw usage_error("forecast_panel: \"" + picture.title +
                      "\": every line needs one value a place, and every interval one pair a step.");

  panel out{.title = picture.title, .x_label = picture.x_label, .y_label = picture.y_label};
  out.x_is_time = picture.x_is_time;
  const bool joined = !picture.past.empty() && std::isfinite(picture.past.back());
  const auto from_last = [&](const std::vector<double>& past, const std::vector<double>& next) {
    std::vector<double> line;
    if (joined) line.push_back(past.back());
    line.insert(line.end(), next.begin(), next.end());
    return line;
  };
  const auto x = from_last(picture.past_x, picture.x);

  auto intervals = picture.intervals;
  std::sort(intervals.begin(), intervals.end(),
            [](const auto& a, const auto& b) { return a.level > b.level; });
  for (std::size_t i = 0; i < intervals.size(); ++i)
    out.bands.push_back({.name = number_text(std::round(1000 * intervals[i].level) / 10) + " % interval",
                         .x = x,
                         .lower = from_last(picture.past, intervals[i].lower),
                         .upper = from_last(picture.past, intervals[i].upper),
                         .ink = colour::blue,
                         .opacity = 0.16 + 0.12 * static_cast<double>(i)});
  out.curves.push_back(
      {.name = "past", .x = picture.past_x, .y = picture.past, .ink = colour::black, .width = 1.2});
  if (!picture.truth.empty())
    out.curves.push_back({.name = "what came",
                          .x = x,
                          .y = from_last(picture.past, picture.truth),
                          .ink = colour::black,
                          .look = stroke::dotted,
                          .width = 1.7});
  out.curves.push_back({.name = "forecast",
                        .x = x,
                        .y = from_last(picture.past, picture.forecast),
                        .ink = colour::blue,
                        .width = 2.2});
  if (!picture.past_x.empty()) out.rules.push_back(picture.past_x.back());
  return out;
}

namespace detail {

inline colour nth_colour(std::size_t n) {
  constexpr colour kOrder[] = {colour::blue,   colour::vermilion, colour::green, colour::purple,
                               colour::orange, colour::sky,       colour::black, colour::grey};
  return kOrder[n % std::size(kOrder)];
}

inline std::vector<double> counted_from_one(std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(i + 1);
  return out;
}

}  // namespace detail

/// A name and one number a place.
struct named_values {
  std::string name;
  std::vector<double> values;
};

/// How the error grows with the horizon: a line a method, the first one emphasised.
/// @param by_step  the values of each method at steps 1, 2, ...
inline panel horizon_panel(std::string title, std::string y_label, const std::vector<named_values>& by_step) {
  panel out{.title = std::move(title), .x_label = "steps ahead", .y_label = std::move(y_label)};
  for (std::size_t i = 0; i < by_step.size(); ++i)
    out.curves.push_back({.name = by_step[i].name,
                          .x = detail::counted_from_one(by_step[i].values.size()),
                          .y = by_step[i].values,
                          .ink = detail::nth_colour(i),
                          .look = i == 0 ? stroke::solid : stroke::dashed,
                          .width = i == 0 ? 2.4 : 1.5});
  return out;
}

/// A criterion over the order of a model, one line a name (as "d = 1").
struct criterion_curve {
  std::string name;
  std::vector<double> orders, values;
};

/// A criterion that is to be small, over orders: the least value of every line is a point, told in the
/// legend. The axis shows where the choice is made rather than the worst values; what lies above it is said
/// in the legend.
/// @throws usage_error where a line has not one value an order
inline panel criterion_panel(std::string title, std::string y_label,
                             const std::vector<criterion_curve>& lines) {
  panel out{.title = std::move(title), .x_label = "order p (lags)", .y_label = std::move(y_label)};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> least(lines.size(), kNone);
  double best = kInfinity, reach = 0, highest = -kInfinity;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    if (line.orders.size() != line.values.size())
      throw usage_error("criterion_panel: \"" + line.name + "\" has " + std::to_string(line.values.size()) +
                        " values for " + std::to_string(line.orders.size()) + " orders.");
    std::vector<double> known;
    for (std::size_t k = 0; k < line.values.size(); ++k) {
      if (!std::isfinite(line.values[k])) continue;
      if (known.empty() || line.values[k] < line.values[least[i]]) least[i] = k;
      known.push_back(line.values[k]);
    }
    if (known.empty()) continue;
    highest = std::max(highest, *std::max_element(known.begin(), known.end()));
    if (line.values[least[i]] < best) {
      best = line.values[least[i]];
      const auto most = known.begin() + static_cast<std::ptrdiff_t>(known.size() * 19 / 20);
      std::nth_element(known.begin(), most, known.end());
      reach = *most - best;
    }
  }
  if (reach > 0 && best + 1.3 * reach < highest) {
    out.y_high = best + 1.3 * reach;
    out.y_low = best - 0.1 * reach;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string name = lines[i].name;
    if (least[i] != kNone) {
      const double value = lines[i].values[least[i]];
      name += (name.empty() ? "least at p = " : ": least at p = ") + number_text(lines[i].orders[least[i]]);
      if (value > out.y_high)
        name += ", above this axis";
      else
        out.marks.push_back(
            {.x = lines[i].orders[least[i]], .y = value, .text = {}, .ink = detail::nth_colour(i)});
    }
    out.curves.push_back(
        {.name = name, .x = lines[i].orders, .y = lines[i].values, .ink = detail::nth_colour(i)});
  }
  return out;
}

}  // namespace fmsb::report
