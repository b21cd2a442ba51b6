#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/evaluate/numbers.hpp"  // kNoNumber, require_size

#include <algorithm>  // std::clamp
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::metrics {

/// How often each class was taken for each, and the scores that follow. Gathered example by example and
/// merged by addition; the examples are not kept. Where nothing was counted, a score is NaN. Undefined ratios
/// are settled as scikit-learn settles them, each said where it stands.
class confusion {
 public:
  /// @throws usage_error for no class
  explicit confusion(std::size_t classes) : classes_(classes), counts_(classes * classes) {
    if (classes == 0) throw usage_error("confusion: there must be a class at least; 0 were given.");
  }

  std::size_t classes() const { return classes_; }

  /// Counts one example. @throws usage_error unless both are classes, from 0
  void add(int truth, int predicted) {
    ++counts_[place(truth, "truth") * classes_ + place(predicted, "prediction")];
  }

  /// Counts many. @throws usage_error unless both are of one length and all are classes
  void add(std::span<const int> truth, std::span<const int> predicted) {
    detail::require_size("confusion", "predictions", predicted.size(), truth.size());
    for (std::size_t i = 0; i < truth.size(); ++i) add(truth[i], predicted[i]);
  }

  /// Takes in the counts of another. @throws usage_error unless it has as many classes
  void merge(const confusion& other) {
    detail::require_size("confusion", "classes", other.classes_, classes_);
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  /// How many of class `truth` were taken for class `predicted`.
  std::uint64_t count(std::size_t truth, std::size_t predicted) const {
    return counts_[truth * classes_ + predicted];
  }
  std::uint64_t actual(std::size_t c) const {
    std::uint64_t sum = 0;
    for (std::size_t p = 0; p < classes_; ++p) sum += count(c, p);
    return sum;
  }
  std::uint64_t predicted(std::size_t c) const {
    std::uint64_t sum = 0;
    for (std::size_t t = 0; t < classes_; ++t) sum += count(t, c);
    return sum;
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto n : counts_) sum += n;
    return sum;
  }

  /// The share of examples whose class was found.
  double accuracy() const { return ratio(correct(), total(), detail::kNoNumber); }

  /// Of the examples taken for class c, the share that are; 0 where none was.
  double precision(std::size_t c) const { return ratio(count(c, c), predicted(c), 0); }
  /// Of the examples of class c, the share that was found; 0 where there is none.
  double recall(std::size_t c) const { return ratio(count(c, c), actual(c), 0); }
  /// 2 hits / (2 hits + misses + false alarms); 0 where the class neither is nor was predicted.
  double f1(std::size_t c) const { return ratio(2 * count(c, c), actual(c) + predicted(c), 0); }

  /// The mean recall of the classes that have examples.
  double balanced_accuracy() const {
    double sum = 0;
    std::uint64_t present = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      if (actual(c) == 0) continue;
      sum += recall(c);
      ++present;
    }
    return present == 0 ? detail::kNoNumber : sum / static_cast<double>(present);
  }

  /// The mean F1 of the classes that have examples or were predicted.
  double macro_f1() const {
    double sum = 0;
    std::uint64_t present = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      if (actual(c) + predicted(c) == 0) continue;
      sum += f1(c);
      ++present;
    }
    return present == 0 ? detail::kNoNumber : sum / static_cast<double>(present);
  }

  /// F1 of the hits, misses and false alarms of all classes together. Where every example has one class and
  /// gets one prediction, as here, a miss of one is a false alarm of another: it is the accuracy.
  double micro_f1() const { return accuracy(); }

  /// Matthews correlation within [-1, 1]: of truth and prediction as vectors of indicators of the classes.
  /// For two classes it is the correlation of two columns of zeros and ones. 0 where all examples are of one
  /// class or all were taken for one. Source: Gorodkin, "Comparing two K-category assignments by a K-category
  /// correlation coefficient", Computational Biology and Chemistry 28 (2004), R_K of equation 8.
  double matthews() const {
    if (total() == 0) return detail::kNoNumber;
    const auto all = static_cast<double>(total());
    double covariance = static_cast<double>(correct()) * all, truths = all * all, predictions = all * all;
    for (std::size_t c = 0; c < classes_; ++c) {
      const auto a = static_cast<double>(actual(c)), p = static_cast<double>(predicted(c));
      covariance -= a * p;
      truths -= a * a;
      predictions -= p * p;
    }
    if (!(truths > 0 && predictions > 0)) return 0;
    return std::clamp(covariance / (std::sqrt(truths) * std::sqrt(predictions)), -1.0, 1.0);
  }

 private:
  std::size_t place(int label, const char* what) const {
    if (label < 0 || static_cast<std::size_t>(label) >= classes_)
      throw usage_error(std::string("confusion: a ") + what + " was given as class " + std::to_string(label) +
                        ", but there are " + std::to_string(classes_) + ", numbered from 0.");
    return static_cast<std::size_t>(label);
  }
  std::uint64_t correct() const {
    std::uint64_t sum = 0;
    for (std::size_t c = 0; c < classes_; ++c) sum += count(c, c);
    return sum;
  }
  static double ratio(std::uint64_t part, std::uint64_t whole, double otherwise) {
    return whole == 0 ? otherwise : static_cast<double>(part) / static_cast<double>(whole);
  }

  std::size_t classes_;
  std::vector<std::uint64_t> counts_;  // [truth, prediction]
};

}  // namespace fmsb::metrics
