#pragma once
#include <algorithm>   // std::nth_element, std::min_element
#include <cstddef>     // std::size_t
#include <functional>  // std::function
#include <time.h>      // clock_gettime
#include <utility>     // std::move
#include <vector>      // std::vector

/// How things that differ by little are timed beside each other.
namespace bench {

using step = std::function<void()>;

/// Of one thread the process's own time, which other work on the machine hardly touches; of several the
/// clock's.
inline double seconds_of(const step& work, int times, int threads = 1) {
  const auto now = [threads] {
    timespec t{};
    clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  const double start = now();
  for (int i = 0; i < times; ++i) work();
  return (now() - start) / times;
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

inline double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

/// The median of ratios, round by round.
inline double median_ratio(const std::vector<double>& one, const std::vector<double>& other) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < one.size(); ++k) ratios.push_back(one[k] / other[k]);
  return median(std::move(ratios));
}

}  // namespace bench
