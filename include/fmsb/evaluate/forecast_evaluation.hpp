#pragma once
#include "fmsb/core/number_text.hpp"        // number_text
#include "fmsb/evaluate/crps.hpp"           // crps_accumulator
#include "fmsb/evaluate/dtw.hpp"            // dtw_accumulator
#include "fmsb/evaluate/intervals.hpp"      // interval_accumulator
#include "fmsb/evaluate/point_errors.hpp"   // point_accumulator
#include "fmsb/evaluate/quantile_loss.hpp"  // quantile_accumulator
#include "fmsb/evaluate/scores.hpp"         // scores

#include <cmath>    // std::nearbyint
#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::metrics {

/// What forecasts are scored by, beside their point errors.
struct evaluation_options {
  std::vector<double> levels{kDeciles.begin(), kDeciles.end()};  ///< rising
  dtw_options dtw{};
  crps_estimator estimator = crps_estimator::plain;
};

/// Every figure of a table's row at once, gathered window by window.
///
/// A window is added as a point forecast, and besides, where the model gives them, as quantiles or as
/// samples. The interval whose coverage is told lies between the lowest and the highest level.
class forecast_evaluation {
 public:
  /// @throws usage_error on a horizon of 0, and where the levels are not at least one, rising, within (0, 1)
  explicit forecast_evaluation(std::size_t horizon, evaluation_options options = {})
      : options_(std::move(options)),
        points_(horizon),
        warped_(options_.dtw),
        quantiles_(horizon, options_.levels),
        samples_(horizon, options_.estimator),
        inside_(options_.levels.size() > 1 ? options_.levels.back() - options_.levels.front() : .5) {}

  std::size_t horizon() const { return points_.horizon(); }

  /// See point_accumulator::add.
  template <numbers Truth, numbers Forecast>
  void add(const Truth& truth, const Forecast& forecast, double scale = detail::kNoNumber) {
    points_.add(truth, forecast, scale);
    warped_.add(truth, forecast);
  }

  /// @param quantiles  [levels, horizon]; see quantile_accumulator::add
  template <numbers Truth, numbers Quantiles>
  void add_quantiles(const Truth& truth, const Quantiles& quantiles) {
    quantiles_.add(truth, quantiles);
    const auto q = detail::view_of(quantiles);
    const std::size_t steps = horizon();
    const auto as_doubles = [](auto values) { return std::vector<double>(values.begin(), values.end()); };
    if (options_.levels.size() > 1)
      inside_.add(as_doubles(detail::view_of(truth)), as_doubles(q.first(steps)), as_doubles(q.last(steps)));
  }

  /// Scores samples and their quantiles. @param samples  [n, horizon]; see crps_accumulator::add
  template <numbers Truth, numbers Samples>
  void add_samples(const Truth& truth, const Samples& samples, quantile_rule rule = quantile_rule::linear) {
    samples_.add(truth, samples);
    add_quantiles(truth, quantiles_of_samples(samples, horizon(), options_.levels, rule));
  }

  /// Takes in the windows of another, of the same options. @throws usage_error where they do not agree
  void merge(const forecast_evaluation& other) {
    points_.merge(other.points_);
    warped_.merge(other.warped_);
    quantiles_.merge(other.quantiles_);
    samples_.merge(other.samples_);
    inside_.merge(other.inside_);
  }

  point_scores points() const { return points_.result(); }
  quantile_scores quantiles() const { return quantiles_.result(); }
  const dtw_accumulator& warped() const { return warped_; }
  const crps_accumulator& samples() const { return samples_; }
  interval_scores interval() const { return inside_.result(); }

  /// mse, rmse, mae, mape, smape, mase, dtw; with quantiles wql and "coverage 0.8" (after the interval's
  /// nominal level); crps from samples, else from quantiles.
  metrics::scores scores() const {
    const auto p = points();
    metrics::scores out{{"mse", p.mse},     {"rmse", p.rmse}, {"mae", p.mae},         {"mape", p.mape},
                        {"smape", p.smape}, {"mase", p.mase}, {"dtw", warped_.mean()}};
    const auto q = quantiles();
    if (q.count > 0) {
      out.set("wql", q.wql);
      out.set("crps", samples_.count() > 0 ? samples_.mean() : q.crps);
      // Nominal levels are decimals; their difference in binary has digits that nobody wrote.
      const double level = std::nearbyint(inside_.result().level * 1e6) / 1e6;
      if (options_.levels.size() > 1) out.set("coverage " + number_text(level), inside_.result().coverage);
    }
    return out;
  }

 private:
  evaluation_options options_;
  point_accumulator points_;
  dtw_accumulator warped_;
  quantile_accumulator quantiles_;
  crps_accumulator samples_;
  interval_accumulator inside_;
};

}  // namespace fmsb::metrics
