#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text

#include <cmath>    // std::isnan
#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string

namespace fmsb::metrics {

/// How prediction intervals of one nominal level fared.
struct interval_scores {
  double level = 0;       ///< nominal share of targets inside, as .9
  double coverage = 0;    ///< observed share of targets inside, ends included
  double mean_width = 0;  ///< in the unit of the targets
  double score =
      0;  ///< mean interval score: width plus 2/(1 - level) times what lies outside; lower is better
  std::size_t count = 0;  ///< targets counted; gaps are not
};

/// Gathers targets and their intervals by blocks.
///
/// The score is the interval score of Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and
/// Estimation", JASA 2007, equation (43), with alpha = 1 - level.
class interval_accumulator {
 public:
  /// @throws usage_error unless 0 < level < 1
  explicit interval_accumulator(double level) : level_(level) {
    if (!(level > 0 && level < 1))
      throw usage_error("interval_accumulator: level " + number_text(level) +
                        " does not lie between 0 and 1; nine tenths of the targets inside is .9.");
  }

  /// One interval a target. Gaps are left out.
  /// @throws usage_error where the three lengths differ
  void add(std::span<const double> targets, std::span<const double> lower, std::span<const double> upper) {
    if (targets.size() != lower.size() || targets.size() != upper.size())
      throw usage_error("interval_accumulator: " + std::to_string(targets.size()) + " targets, " +
                        std::to_string(lower.size()) + " lower and " + std::to_string(upper.size()) +
                        " upper ends do not belong together.");
    for (std::size_t i = 0; i < targets.size(); ++i) add_one(targets[i], lower[i], upper[i]);
  }

  /// Errors (target - forecast) of forecasts whose intervals are all [forecast + lower, forecast + upper].
  void add_errors(std::span<const double> errors, double lower, double upper) {
    for (const double e : errors) add_one(e, lower, upper);
  }

  void merge(const interval_accumulator& other) {
    inside_ += other.inside_;
    width_ += other.width_;
    outside_ += other.outside_;
    count_ += other.count_;
  }

  /// NaN throughout where nothing was counted.
  interval_scores result() const {
    return {level_, inside_ / count_, width_ / count_, (width_ + 2 / (1 - level_) * outside_) / count_,
            static_cast<std::size_t>(count_)};
  }

 private:
  void add_one(double target, double lower, double upper) {
    const double below = lower - target, above = target - upper;
    if (std::isnan(below) || std::isnan(above)) return;
    inside_ += below <= 0 && above <= 0 ? 1 : 0;
    outside_ += (below > 0 ? below : 0) + (above > 0 ? above : 0);
    width_ += upper - lower;
    count_ += 1;
  }

  double level_;
  double inside_ = 0, width_ = 0, outside_ = 0, count_ = 0;
};

}  // namespace fmsb::metrics
