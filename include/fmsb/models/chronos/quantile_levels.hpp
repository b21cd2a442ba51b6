#pragma once
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <span>              // std::span

namespace fmsb::chronos {

/// The levels of the quantiles that a model predicts, as a constant of its type: `{.1, .5, .9}`.
struct quantile_levels {
  static constexpr std::size_t most = 32;

  double values[most] = {};  ///< the first `count` are the levels
  std::size_t count = 0;

  constexpr quantile_levels() = default;
  /// More than `most` levels are cut off, and `sound()` is false.
  constexpr quantile_levels(std::initializer_list<double> levels) : count(levels.size()) {
    std::size_t i = 0;
    for (const double level : levels)
      if (i < most) values[i++] = level;
  }

  constexpr std::size_t size() const { return count; }
  constexpr const double* begin() const { return values; }
  constexpr const double* end() const { return values + count; }
  constexpr double operator[](std::size_t i) const { return values[i]; }
  constexpr operator std::span<const double>() const { return {values, count}; }
  friend constexpr bool operator==(const quantile_levels&, const quantile_levels&) = default;

  /// Whether there is a level, and all rise between 0 and 1.
  constexpr bool sound() const {
    if (count < 1 || count > most) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (!(values[i] > (i == 0 ? 0 : values[i - 1])) || !(values[i] < 1)) return false;
    return true;
  }
};

}  // namespace fmsb::chronos
