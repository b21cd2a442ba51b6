#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/evaluate/numbers.hpp"  // numbers

#include <cmath>             // std::sqrt, std::log
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <string>            // std::string
#include <string_view>       // std::string_view
#include <utility>           // std::pair
#include <vector>            // std::vector

namespace fmsb::metrics {

/// Named figures of one run, in the order in which they were set: a row of a table.
class scores {
 public:
  scores() = default;
  /// @throws usage_error where a name stands twice
  scores(std::initializer_list<std::pair<std::string, double>> figures) {
    for (const auto& [name, value] : figures) set(name, value);
  }

  /// Adds a figure. @throws usage_error where there is one of that name
  void set(std::string name, double value) {
    if (find(name) != nullptr)
      throw usage_error("scores: \"" + name + "\" is set already; give every figure a name of its own.");
    figures_.emplace_back(std::move(name), value);
  }

  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// @throws usage_error naming the figures, where there is none of that name
  double operator[](std::string_view name) const {
    if (const double* value = find(name)) return *value;
    std::string known;
    for (const auto& figure : figures_) known += (known.empty() ? "" : ", ") + figure.first;
    throw usage_error("scores: there is no \"" + std::string(name) + "\"; there are " +
                      (known.empty() ? "none" : known) + ".");
  }

  std::size_t size() const { return figures_.size(); }
  auto begin() const { return figures_.begin(); }
  auto end() const { return figures_.end(); }

 private:
  const double* find(std::string_view name) const {
    for (const auto& figure : figures_)
      if (figure.first == name) return &figure.second;
    return nullptr;
  }

  std::vector<std::pair<std::string, double>> figures_;
};

/// A figure over several runs.
struct spread {
  double mean = detail::kNoNumber;
  double deviation = detail::kNoNumber;  ///< the sample's (n - 1); NaN for fewer than two runs
  std::size_t count = 0;                 ///< runs
};

/// Mean and standard deviation; a NaN among the values makes both NaN, so that no run is lost silently.
template <numbers Values>
spread spread_of(const Values& values) {
  const auto x = detail::view_of(values);
  spread out{.count = x.size()};
  if (x.empty()) return out;
  double sum = 0, squares = 0;
  for (const auto one : x) sum += static_cast<double>(one);
  out.mean = sum / static_cast<double>(x.size());
  for (const auto one : x)
    squares += (static_cast<double>(one) - out.mean) * (static_cast<double>(one) - out.mean);
  if (x.size() > 1) out.deviation = std::sqrt(squares / static_cast<double>(x.size() - 1));
  return out;
}

/// The scores of runs that differ in their seed alone.
class repeated_scores {
 public:
  /// Adds one run. @throws usage_error unless it has the figures of the first, in their order
  void add(const scores& run) {
    bool same = runs_.empty() || run.size() == names_.size();
    std::size_t k = 0;
    for (const auto& [name, value] : run) {
      if (runs_.empty()) names_.push_back(name);
      same = same && names_[k++] == name;
    }
    if (!same)
      throw usage_error("repeated_scores: a run has other figures than the " + std::to_string(names_.size()) +
                        " of the first; score every run alike.");
    runs_.push_back(run);
  }

  /// Takes in the runs of another. @throws usage_error unless the figures agree
  void merge(const repeated_scores& other) {
    for (const auto& run : other.runs_) add(run);
  }

  const std::vector<std::string>& names() const { return names_; }
  std::size_t runs() const { return runs_.size(); }

  /// One figure over the runs. @throws usage_error where there is none of that name
  spread of(std::string_view name) const {
    std::vector<double> values;
    values.reserve(runs_.size());
    for (const auto& run : runs_) values.push_back(run[name]);
    return spread_of(values);
  }

 private:
  std::vector<std::string> names_;
  std::vector<scores> runs_;
};

/// The geometric mean, by logarithms. @throws usage_error without values, and unless all are positive
template <numbers Values>
double geometric_mean(const Values& values) {
  const auto x = detail::view_of(values);
  if (x.empty()) throw usage_error("geometric_mean: there are no values; give one at least.");
  double logarithms = 0;
  for (const auto one : x) {
    if (!(one > 0))
      throw usage_error("geometric_mean: " + number_text(one) +
                        " has no logarithm; give positive values, such as ratios of errors.");
    logarithms += std::log(static_cast<double>(one));
  }
  return std::exp(logarithms / static_cast<double>(x.size()));
}

/// A model's score over several data sets in units of a baseline's: the geometric mean of the ratios. Unlike
/// the arithmetic mean it ranks two models alike whichever baseline they are divided by. Sources: Fleming and
/// Wallace, "How not to lie with statistics", Communications of the ACM 1986; the aggregated relative scores
/// of Ansari et al., "Chronos", TMLR 2024.
/// @param model, baseline  one score a data set, in the same order
/// @throws usage_error unless both are of one length and all ratios are positive
template <numbers Model, numbers Baseline>
double relative_score(const Model& model, const Baseline& baseline) {
  const auto ours = detail::view_of(model);
  const auto theirs = detail::view_of(baseline);
  detail::require_size("relative_score", "baseline scores", theirs.size(), ours.size());
  std::vector<double> ratios;
  ratios.reserve(ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    ratios.push_back(static_cast<double>(ours[i]) / static_cast<double>(theirs[i]));
  return geometric_mean(ratios);
}

}  // namespace fmsb::metrics
