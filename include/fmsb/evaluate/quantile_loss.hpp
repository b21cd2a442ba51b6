#pragma once
#include "fmsb/core/error.hpp"            // usage_error
#include "fmsb/core/number_text.hpp"      // number_text
#include "fmsb/evaluate/forecasting.hpp"  // quantiles_of
#include "fmsb/evaluate/numbers.hpp"      // numbers
#include "fmsb/evaluate/step_means.hpp"   // step_means

#include <algorithm>  // std::sort
#include <array>      // std::array
#include <cmath>      // std::isnan, std::nearbyint
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::metrics {

/// The levels .1 to .9, at which Chronos and many others are scored.
inline constexpr std::array kDeciles{.1, .2, .3, .4, .5, .6, .7, .8, .9};

/// How quantile forecasts fared. Where nothing was counted, a figure is NaN.
struct quantile_scores {
  double wql = detail::kNoNumber;     ///< weighted quantile loss: the mean of level_wql
  double crps = detail::kNoNumber;    ///< twice the mean pinball loss over levels and truths, in their unit
  std::size_t count = 0;              ///< truths counted
  std::size_t unforecast = 0;         ///< truths for which a quantile was a gap; in no other figure
  std::vector<double> levels{};       ///< as they were given
  std::vector<double> level_wql{};    ///< [levels], sum of 2 x pinball loss over sum of |y|
  std::vector<double> level_below{};  ///< [levels], share of truths at or below the quantile
  std::vector<double> step_wql{};     ///< [horizon], of the truths of one step alone
};

/// Gathers quantile forecasts window by window, without keeping them.
///
/// With the pinball loss rho(y, q) = (y - q) (level - [y < q]), the weighted quantile loss of a level is
/// 2 sum rho / sum |y| over all truths of all windows; it is the ratio of two sums, not a mean of ratios. As
/// the levels grow denser and even, `crps` tends to the continuous ranked probability score, whose integral
/// it approximates. Sources: Koenker and Bassett, Econometrica 1978 (pinball loss); GluonTS's
/// MeanWeightedSumQuantileLoss, with which Ansari et al., "Chronos", TMLR 2024, is scored.
class quantile_accumulator {
 public:
  /// @throws usage_error on a horizon of 0, no levels, levels not between 0 and 1, or not rising
  explicit quantile_accumulator(std::size_t horizon,
                                std::vector<double> levels = {kDeciles.begin(), kDeciles.end()})
      : levels_(std::move(levels)),
        losses_(levels_.size(), step_means(horizon)),
        below_(levels_.size()),
        sizes_(horizon) {
    if (levels_.empty()) throw usage_error("quantile_accumulator: no levels were given; give one at least.");
    for (std::size_t k = 0; k < levels_.size(); ++k)
      if (!(levels_[k] > 0 && levels_[k] < 1) || (k > 0 && !(levels_[k] > levels_[k - 1])))
        throw usage_error("quantile_accumulator: level " + number_text(levels_[k]) +
                          " does not lie between 0 and 1 or does not rise above the one before it.");
  }

  std::size_t horizon() const { return sizes_.horizon(); }
  const std::vector<double>& levels() const { return levels_; }

  /// Adds one window.
  /// @param truth      [horizon]; gaps are left out
  /// @param quantiles  [levels, horizon], the whole horizon of one level after that of another
  /// @throws usage_error unless both have these sizes
  template <numbers Truth, numbers Quantiles>
  void add(const Truth& truth, const Quantiles& quantiles) {
    const auto y = detail::view_of(truth);
    const auto q = detail::view_of(quantiles);
    detail::require_size("quantile_accumulator", "truths", y.size(), horizon());
    detail::require_size("quantile_accumulator", "quantiles (levels x horizon)", q.size(),
                         horizon() * levels_.size());
    for (std::size_t h = 0; h < horizon(); ++h) {
      if (std::isnan(y[h])) continue;
      bool known = true;
      for (std::size_t k = 0; k < levels_.size(); ++k) known = known && !std::isnan(q[k * horizon() + h]);
      if (!known) {
        ++unforecast_;
        continue;
      }
      const auto one = static_cast<double>(y[h]);
      sizes_.add(h, std::abs(one));
      for (std::size_t k = 0; k < levels_.size(); ++k) {
        const double above = one - static_cast<double>(q[k * horizon() + h]);
        losses_[k].add(h, 2 * above * (levels_[k] - (above < 0 ? 1 : 0)));
        below_[k] += above <= 0 ? 1 : 0;
      }
    }
  }

  /// Takes in the windows of another. @throws usage_error unless horizons and levels agree
  void merge(const quantile_accumulator& other) {
    if (levels_ != other.levels_)
      throw usage_error("quantile_accumulator: what was scored at other levels cannot be merged.");
    for (std::size_t k = 0; k < levels_.size(); ++k) {
      losses_[k].merge(other.losses_[k]);
      below_[k] += other.below_[k];
    }
    sizes_.merge(other.sizes_);
    unforecast_ += other.unforecast_;
  }

  /// The weighted losses are NaN where every truth is 0, which is nothing to weigh by.
  quantile_scores result() const {
    quantile_scores out{.count = sizes_.count(), .unforecast = unforecast_, .levels = levels_};
    const auto count = static_cast<double>(levels_.size());
    double losses = 0, means = 0;
    out.step_wql.assign(horizon(), 0);
    for (std::size_t k = 0; k < levels_.size(); ++k) {
      losses += losses_[k].sum();
      means += losses_[k].mean();
      out.level_wql.push_back(weighed(losses_[k].sum(), sizes_.sum()));
      out.level_below.push_back(below_[k] / static_cast<double>(out.count));
      for (std::size_t h = 0; h < horizon(); ++h)
        out.step_wql[h] += weighed(losses_[k].sums()[h], sizes_.sums()[h]) / count;
    }
    out.wql = weighed(losses, sizes_.sum()) / count;
    out.crps = means / count;
    return out;
  }

 private:
  static double weighed(double loss, double size) { return size > 0 ? loss / size : detail::kNoNumber; }

  std::vector<double> levels_;
  std::vector<step_means> losses_;  // one a level
  std::vector<double> below_;
  step_means sizes_;
  std::size_t unforecast_ = 0;
};

/// Which number a quantile of samples is.
enum class quantile_rule {
  linear,   ///< interpolated between order statistics (type 7, NumPy's and torch's default)
  nearest,  ///< the order statistic nearest to level x (n - 1), halves to the even place: GluonTS's forecasts
};

/// Quantiles of sampled forecasts, one step of the horizon at a time.
/// @param samples  [n, horizon], one sample path after the other
/// @returns [levels, horizon], as quantile_accumulator takes them; a step with a gap in any sample is a gap
/// @throws usage_error where the samples are not whole paths, and for a level outside [0, 1]
template <numbers Samples>
std::vector<double> quantiles_of_samples(const Samples& samples, std::size_t horizon,
                                         std::span<const double> levels = kDeciles,
                                         quantile_rule rule = quantile_rule::linear) {
  const auto paths = detail::view_of(samples);
  if (horizon == 0 || paths.empty() || paths.size() % horizon != 0)
    throw usage_error("quantiles_of_samples: " + std::to_string(paths.size()) +
                      " numbers are not whole sample paths of " + std::to_string(horizon) +
                      " steps; give samples x horizon numbers.");
  const std::size_t n = paths.size() / horizon;
  std::vector<double> step(n),
      found = quantiles_of({}, levels);  // gaps; says which level is wrong, if one is
  std::vector<double> out(levels.size() * horizon, detail::kNoNumber);
  for (std::size_t h = 0; h < horizon; ++h) {
    bool known = true;
    for (std::size_t i = 0; i < n; ++i) {
      step[i] = static_cast<double>(paths[i * horizon + h]);
      known = known && !std::isnan(step[i]);
    }
    if (!known) continue;
    if (rule == quantile_rule::nearest) {
      std::sort(step.begin(), step.end());
      for (std::size_t k = 0; k < levels.size(); ++k)
        found[k] = step[static_cast<std::size_t>(std::nearbyint(levels[k] * static_cast<double>(n - 1)))];
    } else {
      found = quantiles_of(step, levels);
    }
    for (std::size_t k = 0; k < levels.size(); ++k) out[k * horizon + h] = found[k];
  }
  return out;
}

}  // namespace fmsb::metrics
