#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/evaluate/numbers.hpp"  // numbers

#include <algorithm>  // std::max
#include <cmath>      // std::abs, std::log
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::to_string

namespace fmsb::metrics {

/// Gathers the cross-entropy of probabilities: the mean of -ln p(class that came), in nats. Probabilities
/// below 2^-52 count as 2^-52 (scikit-learn's bound for doubles), so that one zero is not an infinite loss.
class log_loss_accumulator {
 public:
  /// Counts one example.
  /// @param probabilities  [classes]
  /// @throws usage_error unless they lie within 0 and 1, sum to 1 within .001, and `truth` is one of them
  template <numbers Probabilities>
  void add(const Probabilities& probabilities, int truth) {
    const auto p = detail::view_of(probabilities);
    if (truth < 0 || static_cast<std::size_t>(truth) >= p.size())
      throw usage_error("log_loss: the truth was given as class " + std::to_string(truth) +
                        ", but there are " + std::to_string(p.size()) + " probabilities, numbered from 0.");
    double sum = 0;
    for (const auto one : p) {
      if (!(one >= 0 && static_cast<double>(one) <= 1 + 1e-3))
        throw usage_error("log_loss: " + number_text(static_cast<double>(one)) +
                          " is no probability; turn scores into probabilities first, such as by a softmax.");
      sum += static_cast<double>(one);
    }
    if (!(std::abs(sum - 1) <= 1e-3))
      throw usage_error("log_loss: the probabilities of an example sum to " + number_text(sum) +
                        " instead of 1; turn scores into probabilities first, such as by a softmax.");
    const auto one = static_cast<double>(p[static_cast<std::size_t>(truth)]);
    sum_ -= std::log(std::max(one, std::numeric_limits<double>::epsilon()));
    ++count_;
  }

  void merge(const log_loss_accumulator& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }

  std::size_t count() const { return count_; }
  /// NaN where nothing was counted.
  double mean() const { return count_ == 0 ? detail::kNoNumber : sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

/// The cross-entropy of many examples.
/// @param probabilities  [examples, classes], the last axis fastest
/// @param truth          [examples]
/// @throws usage_error as the accumulator, and where the counts do not fit together
template <numbers Probabilities>
double log_loss(const Probabilities& probabilities, std::span<const int> truth, std::size_t classes) {
  const auto p = detail::view_of(probabilities);
  detail::require_size("log_loss", "probabilities", p.size(), truth.size() * classes);
  log_loss_accumulator all;
  for (std::size_t i = 0; i < truth.size(); ++i) all.add(p.subspan(i * classes, classes), truth[i]);
  return all.mean();
}

}  // namespace fmsb::metrics
