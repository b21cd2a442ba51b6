#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/evaluate/numbers.hpp"  // numbers

#include <algorithm>  // std::sort
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <numeric>    // std::iota
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

/// How well scores rank: whatever ascending function is applied to them, these figures stay.
namespace fmsb::metrics {

namespace detail {

/// Walks groups of equal scores from the highest down: visit(positives, negatives) of each.
template <class Number, class Visit>
void for_each_tie(std::span<const Number> scores, std::span<const int> truth, const char* where,
                  Visit visit) {
  require_size(where, "truths", truth.size(), scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores[i]) || (truth[i] != 0 && truth[i] != 1))
      throw usage_error(std::string(where) + ": example " + std::to_string(i + 1) + " has " +
                        (std::isnan(scores[i]) ? std::string("a score that is no number")
                                               : "the truth " + std::to_string(truth[i])) +
                        "; a score is a number, a truth 0 or 1.");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first, positives = 0;
    for (; last < order.size() && scores[order[last]] == scores[order[first]]; ++last)
      positives += truth[order[last]] == 1 ? 1u : 0u;
    visit(static_cast<double>(positives), static_cast<double>(last - first - positives));
    first = last;
  }
}

/// The mean over classes of a figure of each; classes of which it is NaN are left out.
template <class Number, class Figure>
double mean_over_classes(std::span<const Number> scores, std::span<const int> truth, std::size_t classes,
                         const char* where, Figure figure) {
  if (classes == 0) throw usage_error(std::string(where) + ": there must be a class at least; 0 were given.");
  require_size(where, "truths", truth.size(), scores.size());
  require_size(where, "scores", scores.size(), scores.size() / classes * classes);
  const std::size_t examples = scores.size() / classes;
  double sum = 0;
  std::size_t counted = 0;
  std::vector<Number> of_class(examples);
  std::vector<int> is_class(examples);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t i = 0; i < examples; ++i) {
      of_class[i] = scores[i * classes + c];
      is_class[i] = truth[i * classes + c];
    }
    const double one = figure(of_class, is_class);
    if (std::isnan(one)) continue;
    sum += one;
    ++counted;
  }
  return counted == 0 ? kNoNumber : sum / static_cast<double>(counted);
}

}  // namespace detail

/// The area under the receiver operating characteristic: the chance that a positive example scores above a
/// negative one, ties counting a half (mid-ranks). NaN where either kind is missing. Source: Hanley and
/// McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
/// Radiology 143 (1982), section "The Wilcoxon statistic". O(n log n).
/// @param truth  0 or 1 an example
/// @throws usage_error where lengths differ, a truth is neither, or a score is NaN
template <numbers Scores>
double auroc(const Scores& scores, std::span<const int> truth) {
  double above = 0, positives = 0, negatives = 0;  // pairs in order; positives and negatives so far
  detail::for_each_tie(detail::view_of(scores), truth, "auroc", [&](double p, double n) {
    above += n * positives + p * n / 2;
    positives += p;
    negatives += n;
  });
  return positives > 0 && negatives > 0 ? above / (positives * negatives) : detail::kNoNumber;
}

/// The mean of the precision over the positives, each at its own score: sum over distinct scores, from the
/// highest, of (recall gained) * precision. Nothing is interpolated: scikit-learn's average_precision_score.
/// NaN without positives (there 0). Source: Buckley and Voorhees, "Evaluating evaluation measure stability",
/// SIGIR 2000, section 2, average precision; ties as one step. O(n log n).
/// @throws usage_error as `auroc`
template <numbers Scores>
double average_precision(const Scores& scores, std::span<const int> truth) {
  double sum = 0, positives = 0, seen = 0;
  detail::for_each_tie(detail::view_of(scores), truth, "average_precision", [&](double p, double n) {
    positives += p;
    seen += p + n;
    sum += p * positives / seen;
  });
  return positives > 0 ? sum / positives : detail::kNoNumber;
}

/// [examples, classes]: 1 where an example is of the class, else 0.
/// @throws usage_error for a label that is no class
inline std::vector<int> one_vs_rest(std::span<const int> labels, std::size_t classes) {
  std::vector<int> out(labels.size() * classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes)
      throw usage_error("one_vs_rest: example " + std::to_string(i + 1) + " has the label " +
                        std::to_string(labels[i]) + ", but there are " + std::to_string(classes) +
                        " classes, numbered from 0.");
    out[i * classes + static_cast<std::size_t>(labels[i])] = 1;
  }
  return out;
}

/// The mean AUROC of each class against the rest; classes that have no example, or all, are left out.
/// @param scores, truth  [examples, classes], the last axis fastest; an example may be of several classes
template <numbers Scores>
double mean_auroc(const Scores& scores, std::span<const int> truth, std::size_t classes) {
  return detail::mean_over_classes(detail::view_of(scores), truth, classes, "mean_auroc",
                                   [](const auto& s, const auto& t) { return auroc(s, t); });
}

/// mAP: the mean average precision of the classes that have an example.
template <numbers Scores>
double mean_average_precision(const Scores& scores, std::span<const int> truth, std::size_t classes) {
  return detail::mean_over_classes(detail::view_of(scores), truth, classes, "mean_average_precision",
                                   [](const auto& s, const auto& t) { return average_precision(s, t); });
}

}  // namespace fmsb::metrics
