#pragma once
#include "fmsb/core/error.hpp"   // data_error
#include "fmsb/data/series.hpp"  // series

#include <algorithm>  // std::fill
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

/// How a gap between two known rows is bridged. The abscissa is the row's number, not its timestamp.
enum class fill_method {
  linear,  ///< a straight line between the known neighbours
  cubic,   ///< the not-a-knot cubic spline through all known rows, as SciPy's and pandas' "cubic"
};

/// What becomes of a gap before the first or after the last known row.
enum class fill_edges {
  hold,   ///< it repeats the nearest known value
  leave,  ///< it stays a gap
};

struct fill_options {
  fill_method method = fill_method::linear;
  fill_edges edges = fill_edges::hold;
  /// Gaps of more rows than this stay gaps.
  std::size_t longest = std::numeric_limits<std::size_t>::max();
};

namespace detail {

/// Slopes at the knots of the not-a-knot cubic spline through (x, y): third derivatives agree at the second
/// knot and at the last but one. Two points give a line, three a parabola. O(n).
///
/// Source: de Boor, "A Practical Guide to Splines", chapter IV, equations (7) to (9).
inline std::vector<double> spline_slopes(std::span<const double> x, std::span<const double> y) {
  const std::size_t n = x.size();
  std::vector<double> step(n - 1), rise(n - 1), slope(n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    step[i] = x[i + 1] - x[i];
    rise[i] = (y[i + 1] - y[i]) / step[i];
  }
  if (n == 2) return {rise[0], rise[0]};
  if (n == 3) {
    const double bend = (rise[1] - rise[0]) / (x[2] - x[0]);
    return {rise[0] - bend * step[0], rise[0] + bend * step[0], rise[1] + bend * step[1]};
  }
  // Row i of the tridiagonal system: below[i] s[i-1] + diagonal[i] s[i] + above[i] s[i+1] = slope[i].
  std::vector<double> below(n), diagonal(n), above(n);
  const double head = x[2] - x[0], tail = x[n - 1] - x[n - 3];
  diagonal[0] = step[1];
  above[0] = head;
  slope[0] = ((step[0] + 2 * head) * step[1] * rise[0] + step[0] * step[0] * rise[1]) / head;
  for (std::size_t i = 1; i + 1 < n; ++i) {
    below[i] = step[i];
    diagonal[i] = 2 * (step[i - 1] + step[i]);
    above[i] = step[i - 1];
    slope[i] = 3 * (step[i] * rise[i - 1] + step[i - 1] * rise[i]);
  }
  below[n - 1] = tail;
  diagonal[n - 1] = step[n - 3];
  slope[n - 1] =
      (step[n - 2] * step[n - 2] * rise[n - 3] + (2 * tail + step[n - 2]) * step[n - 3] * rise[n - 2]) / tail;
  for (std::size_t i = 1; i < n; ++i) {
    const double factor = below[i] / diagonal[i - 1];
    diagonal[i] -= factor * above[i - 1];
    slope[i] -= factor * slope[i - 1];
  }
  slope[n - 1] /= diagonal[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) slope[i] = (slope[i] - above[i] * slope[i + 1]) / diagonal[i];
  return slope;
}

inline void fill_channel(std::span<double> values, const fill_options& options) {
  std::vector<double> x, y;
  for (std::size_t t = 0; t < values.size(); ++t) {
    if (std::isnan(values[t])) continue;
    x.push_back(static_cast<double>(t));
    y.push_back(values[t]);
  }
  if (x.size() == values.size() || x.empty()) return;
  const auto first = static_cast<std::size_t>(x.front()), last = static_cast<std::size_t>(x.back());
  if (options.edges == fill_edges::hold) {
    if (first <= options.longest) std::fill_n(values.begin(), first, y.front());
    if (values.size() - last - 1 <= options.longest)
      std::fill(values.begin() + static_cast<std::ptrdiff_t>(last) + 1, values.end(), y.back());
  }
  if (x.size() < 2) return;

  std::vector<double> slope;
  if (options.method == fill_method::cubic) slope = spline_slopes(x, y);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const auto from = static_cast<std::size_t>(x[i]), to = static_cast<std::size_t>(x[i + 1]);
    const std::size_t absent = to - from - 1;
    if (absent == 0 || absent > options.longest) continue;
    const double step = x[i + 1] - x[i], rise = (y[i + 1] - y[i]) / step;
    for (std::size_t t = from + 1; t < to; ++t) {
      const double along = static_cast<double>(t) - x[i];
      if (slope.empty()) {
        values[t] = y[i] + rise * along;
      } else {  // cubic Hermite form by divided differences
        const double third = (slope[i] + slope[i + 1] - 2 * rise) / (step * step);
        const double second = (rise - slope[i]) / step - third * step;
        values[t] = y[i] + along * (slope[i] + along * (second + along * third));
      }
    }
  }
}

}  // namespace detail

/// A copy whose gaps are filled channel by channel; known rows are left exactly as they were. A filled row
/// draws on rows that come after it, so scores over it are not those of a forecaster who could not wait.
/// @throws data_error naming a channel that holds no number at all
inline series fill_gaps(const series& rows, const fill_options& options = {}) {
  std::vector<double> values;
  values.reserve(rows.channels() * rows.length());
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    const auto known = rows.channel(c);
    values.insert(values.end(), known.begin(), known.end());
    const auto copy = std::span(values).last(known.size());
    if (!known.empty() && std::all_of(known.begin(), known.end(), [](double x) { return std::isnan(x); }))
      throw data_error("filling gaps: column \"" + rows.names()[c] + "\" holds no number in any of its " +
                       std::to_string(rows.length()) + " rows; leave it out of the columns.");
    detail::fill_channel(copy, options);
  }
  return {rows.names(), {rows.times().begin(), rows.times().end()}, std::move(values)};
}

}  // namespace fmsb::data
