#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/core/extent.hpp"                  // index_t
#include "fmsb/core/number_text.hpp"             // number_text
#include "fmsb/models/floors/class_scores.hpp"   // one_vs_rest_targets, predictions, require_examples
#include "fmsb/models/floors/leave_one_out.hpp"  // ridge_by_rows, ridge_by_features
#include "fmsb/models/floors/standardise.hpp"    // standardise
#include "fmsb/nn/parallel_for.hpp"              // parallel_for
#include "fmsb/nn/tensor.hpp"                    // tensor

#include <cmath>    // std::exp, std::log
#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::models {

/// The strengths among which leave-one-out chooses, as multiples of the mean squared length of a row of
/// standardised features (their number, but for constant ones).
struct ridge_options {
  double lowest = 1e-3, highest = 1e2;
  int at_once = 4;  ///< strengths that a round tries, evenly apart in their logarithm
  int rounds = 2;   ///< the second and later ones lie between the neighbours of the best
};

/// Ridge regression on targets of +-1, one class against the rest, whose strength minimises the leave-one-out
/// squared error in closed form. Features are standardised, the intercept is not penalised.
class ridge_classifier {
 public:
  /// @throws usage_error unless 0 < lowest <= highest and one at once and one round at least
  explicit ridge_classifier(ridge_options options = {}) : options_(options) {
    if (!(options.lowest > 0 && options.lowest <= options.highest) || options.at_once < 1 ||
        options.rounds < 1)
      throw usage_error("ridge_classifier: strengths from " + number_text(options.lowest) + " to " +
                        number_text(options.highest) + ", " + std::to_string(options.at_once) +
                        " at once in " + std::to_string(options.rounds) +
                        " rounds were given; give 0 < lowest <= highest, and one of each at least.");
  }

  /// @param features  [examples, features], float or double: what is computed in
  /// @param labels    [examples], classes from 0
  /// @throws usage_error where the extents do not fit or a label is no class; data_error for a number that is
  /// not finite
  void fit(const tensor& features, std::span<const int> labels, std::size_t classes) {
    detail::require_examples("ridge_classifier", features, labels.size());
    fit_in_place(features.detach().clone(at::MemoryFormat::Contiguous), labels, classes);
  }

  /// The same without a copy: `features`, which must be contiguous, are left standardised.
  void fit_in_place(const tensor& features, std::span<const int> labels, std::size_t classes) {
    detail::require_examples("ridge_classifier", features, labels.size());
    const auto targets = detail::one_vs_rest_targets("ridge_classifier", labels, classes, features.options());
    const auto scales = standardise(features);
    if (features.size(0) <= features.size(1))
      solve(ridge_by_rows(features, targets), features, targets, scales);
    else
      solve(ridge_by_features(features, targets), features, targets, scales);
  }

  /// [examples, classes]: near 1 for the class, near -1 for the others.
  /// @throws usage_error before `fit`, and for another number of features
  tensor scores(const tensor& features) const {
    detail::require_features("ridge_classifier", features, weights_);
    return at::addmm(intercept_, features, weights_);
  }
  /// The class of the highest score of each example.
  std::vector<int> predict(const tensor& features) const { return detail::predictions(scores(features)); }

  double chosen_lambda() const { return lambda_; }
  /// The same as a multiple of the mean squared length of a row, as the options give it.
  double chosen_strength() const { return strength_; }
  /// The mean squared error of targets of +-1, each example predicted by the others.
  double leave_one_out_error() const { return error_; }
  double leave_one_out_accuracy() const { return accuracy_; }
  /// [examples, classes]: what each training example scores without having been seen.
  const tensor& leave_one_out_scores() const { return left_out_; }

 private:
  template <class Problem>
  void solve(const Problem& problem, const tensor& features, const tensor& targets,
             const column_scales& scales) {
    const double scale = problem.scale() > 0 ? problem.scale() : 1;
    const auto best =
        lowest_error(problem, std::log(options_.lowest * scale), std::log(options_.highest * scale));
    lambda_ = best.lambda;
    strength_ = best.lambda / scale;
    error_ = best.error;
    left_out_ = targets - best.residuals;
    accuracy_ = detail::share_right(left_out_, targets);
    weights_ = problem.of_features(best, features) * scales.inverse.unsqueeze(1);
    intercept_ = targets.mean(0) - at::mv(weights_.t(), scales.mean);
  }

  /// Rounds of strengths evenly apart in their logarithm, solved at once, a thread each: the next round lies
  /// between the neighbours of the best. A solution on several threads would wait for the slowest at each of
  /// its many small steps, and its bits would depend on their number.
  template <class Problem>
  ridge_solution lowest_error(const Problem& problem, double low, double high) const {
    ridge_solution best;
    for (int round = 0; round < options_.rounds; ++round) {
      const double step = (high - low) / (options_.at_once + 1);
      std::vector<ridge_solution> found(static_cast<std::size_t>(options_.at_once));
      nn::parallel_for(options_.at_once, 1, [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i)
          found[static_cast<std::size_t>(i)] = problem.at(std::exp(low + step * static_cast<double>(i + 1)));
      });
      for (auto& one : found)
        if (!best.weights.defined() || one.error < best.error) best = std::move(one);
      const double middle = std::log(best.lambda);
      low = middle - step;
      high = middle + step;
    }
    if (!best.weights.defined())
      throw data_error(
          "ridge_classifier: rounding leaves no solution for any strength; give a higher highest strength, "
          "or "
          "features in double.");
    return best;
  }

  ridge_options options_;
  double lambda_ = 0, strength_ = 0, error_ = 0, accuracy_ = 0;
  tensor weights_, intercept_, left_out_;
};

}  // namespace fmsb::models
