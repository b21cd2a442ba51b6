#pragma once
#include <rapidcheck.h>  // rc::gen

#include <cmath>    // std::isnan
#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <span>     // std::span
#include <vector>   // std::vector

namespace fmsb::test {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// A number between -10 and 10; about one in `gap_every` a gap (none for 0), and now and then exactly 0.
inline double draw_number(int gap_every = 0) {
  if (gap_every > 0 && *rc::gen::inRange(0, gap_every) == 0) return kGap;
  return static_cast<double>(*rc::gen::inRange(-1000, 1001)) / 100 * (*rc::gen::inRange(0, 12) == 0 ? 0 : 1);
}

inline std::vector<double> draw_numbers(std::size_t count, int gap_every = 0) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(draw_number(gap_every));
  return out;
}

/// Equal up to the rounding of sums of some hundred terms; two NaN are equal.
inline bool near(double a, double b, double tolerance = 1e-12) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance * (1 + std::abs(a));
}

inline bool near(std::span<const double> a, std::span<const double> b, double tolerance = 1e-12) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = near(a[i], b[i], tolerance);
  return same;
}

/// A mean by its definition: the sum over the number of values, NaN where there are none.
inline double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}

}  // namespace fmsb::test
