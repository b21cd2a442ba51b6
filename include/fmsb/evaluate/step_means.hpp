#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/evaluate/numbers.hpp"  // require_size

#include <cmath>    // std::isnan
#include <cstddef>  // std::size_t
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::metrics {

/// Means of a figure for each step of a horizon and over all steps, gathered without keeping the values.
///
/// The state of two halves merges to that of the whole. A mean of nothing is NaN.
class step_means {
 public:
  /// @throws usage_error on a horizon of 0
  explicit step_means(std::size_t horizon) : sums_(horizon), counts_(horizon) {
    if (horizon == 0) throw usage_error("step_means: a horizon of 0 steps has no means; it is 1 or more.");
  }

  std::size_t horizon() const { return sums_.size(); }

  /// Adds a value at a step, 0 being the next row. NaN is left out. @throws usage_error beyond the horizon
  void add(std::size_t step, double value) {
    if (step >= horizon())
      throw usage_error("step_means: step " + std::to_string(step) + " lies beyond the horizon of " +
                        std::to_string(horizon()) + " steps, which are counted from 0.");
    if (std::isnan(value)) return;
    sums_[step] += value;
    counts_[step] += 1;
  }

  /// Takes in the values of another, as of a shard. @throws usage_error unless the horizons agree
  void merge(const step_means& other) {
    detail::require_size("step_means", "steps", other.horizon(), horizon());
    for (std::size_t step = 0; step < horizon(); ++step) {
      sums_[step] += other.sums_[step];
      counts_[step] += other.counts_[step];
    }
  }

  std::size_t count() const { return static_cast<std::size_t>(total(counts_)); }
  double sum() const { return total(sums_); }
  /// Over all steps, every value of equal weight.
  double mean() const { return total(sums_) / total(counts_); }
  /// [horizon]
  std::vector<double> by_step() const {
    std::vector<double> out;
    out.reserve(horizon());
    for (std::size_t step = 0; step < horizon(); ++step) out.push_back(sums_[step] / counts_[step]);
    return out;
  }
  /// [horizon]
  const std::vector<double>& sums() const { return sums_; }

 private:
  static double total(const std::vector<double>& values) {
    double sum = 0;
    for (const double x : values) sum += x;
    return sum;
  }

  std::vector<double> sums_, counts_;
};

}  // namespace fmsb::metrics
