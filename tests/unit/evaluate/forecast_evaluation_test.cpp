#include "fmsb/evaluate/forecast_evaluation.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::draw_numbers;

namespace {

std::vector<std::string> names_of(const metrics::scores& row) {
  std::vector<std::string> out;
  for (const auto& [name, value] : row) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("a row holds what each accumulator gives, and halves merge to it") {
  CHECK(holds("forecast_evaluation == its parts", [] {
    constexpr std::size_t kHorizon = 3;
    const metrics::evaluation_options options{.levels = {.1, .5, .9}, .dtw = {.band = 1}};
    metrics::forecast_evaluation all(kHorizon, options), first(kHorizon, options), second(kHorizon, options);
    metrics::point_accumulator points(kHorizon);
    metrics::dtw_accumulator warped(options.dtw);
    metrics::quantile_accumulator quantiles(kHorizon, options.levels);
    metrics::crps_accumulator crps(kHorizon);
    metrics::interval_accumulator inside(.8);
    for (int w = *rc::gen::inRange(0, 6); w > 0; --w) {
      const auto truth = draw_numbers(kHorizon, 5), forecast = draw_numbers(kHorizon);
      const auto samples = draw_numbers(7 * kHorizon);
      auto& half = *rc::gen::arbitrary<bool>() ? first : second;
      for (auto* one : {&all, &half}) {
        one->add(truth, forecast, 2);
        one->add_samples(truth, samples);
      }
      points.add(truth, forecast, 2);
      warped.add(truth, forecast);
      crps.add(truth, samples);
      const auto q = metrics::quantiles_of_samples(samples, kHorizon, options.levels);
      quantiles.add(truth, q);
      inside.add(truth, std::span(q).first(kHorizon), std::span(q).last(kHorizon));
    }
    first.merge(second);
    RC_PRE(points.result().count > 0u);
    for (const auto* one : {&all, &first}) {
      const auto row = one->scores();
      RC_ASSERT(near(row["mse"], points.result().mse));
      RC_ASSERT(near(row["mase"], points.result().mase));
      RC_ASSERT(near(row["dtw"], warped.mean()));
      RC_ASSERT(near(row["wql"], quantiles.result().wql));
      RC_ASSERT(near(row["crps"], crps.mean()));
      RC_ASSERT(near(row["coverage 0.8"], inside.result().coverage));
    }
  }));
}

TEST_CASE("a row has the figures that the forecasts allow") {
  const std::vector<double> truth{1, 2}, forecast{1, 3};
  metrics::forecast_evaluation points(2);
  points.add(truth, forecast);
  CHECK(names_of(points.scores()) ==
        std::vector<std::string>{"mse", "rmse", "mae", "mape", "smape", "mase", "dtw"});
  CHECK(std::isnan(points.scores()["mase"]));
  metrics::forecast_evaluation median(2, {.levels = {.5}});
  median.add_quantiles(truth, forecast);
  CHECK(names_of(median.scores()).back() == "crps");
  CHECK(median.scores()["crps"] == .5);
  CHECK(median.scores()["wql"] == doctest::Approx(1.0 / 3));
}

TEST_CASE("evaluations of other horizons, levels or estimators do not merge") {
  metrics::forecast_evaluation two(2);
  CHECK_THROWS_AS(two.merge(metrics::forecast_evaluation(3)), fmsb::usage_error);
  CHECK_THROWS_AS(two.merge(metrics::forecast_evaluation(2, {.levels = {.5}})), fmsb::usage_error);
  CHECK_THROWS_AS(two.merge(metrics::forecast_evaluation(2, {.estimator = metrics::crps_estimator::fair})),
                  fmsb::usage_error);
  CHECK_THROWS_AS(metrics::forecast_evaluation(2, {.levels = {.9, .1}}), fmsb::usage_error);
}
