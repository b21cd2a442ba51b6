#include "fmsb/models/ar/score.hpp"      // score
#include "fmsb/nn/cholesky.hpp"          // cholesky
#include "fmsb/search/auto_ar/best.hpp"  // best_search

#include "../models/ar_support.hpp"

#include <ATen/ops/linalg_solve.h>

#include <array>    // std::array
#include <cmath>    // std::abs
#include <cstddef>  // std::size_t
#include <limits>   // infinity
#include <vector>   // std::vector

#include "support/doctest.hpp"

namespace {

using namespace fmsb;

constexpr double kAll = std::numeric_limits<double>::infinity();

// Inputs and targets of every window of one channel, newest value first; the plain twin of the moments.
struct windows {
  tensor inputs, targets;  // [W, L], [W, H]

  windows(std::span<const double> x, std::size_t context, std::size_t horizon) {
    const std::size_t count = x.size() - context - horizon + 1;
    inputs = ar::doubles(count, context);
    targets = ar::doubles(count, horizon);
    auto in = nn::values_of(inputs), out = nn::values_of(targets);
    for (std::size_t w = 0; w < count; ++w) {
      for (std::size_t i = 0; i < context; ++i) in[w * context + i] = x[w + context - 1 - i];
      for (std::size_t h = 0; h < horizon; ++h) out[w * horizon + h] = x[w + context + h];
    }
  }
};

double largest_gap(const tensor& a, const tensor& b) { return (a - b).abs().max().item<double>(); }

TEST_CASE("the blocked Cholesky factor is LAPACK's, and an indefinite matrix has none") {
  for (const std::int64_t n : {1, 5, 95, 96, 97, 250}) {
    const auto x = ar::doubles(static_cast<std::size_t>(n) + 3, static_cast<std::size_t>(n));
    auto v = nn::values_of(x);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>((i * 7919) % 1009) / 1009 - 0.5;
    auto a = at::mm(x.t(), x);
    a.diagonal().add_(0.1);
    const auto lower = nn::cholesky(a);
    REQUIRE(lower.has_value());
    CHECK(largest_gap(*lower, at::linalg_cholesky(a)) < 1e-11);
    a.diagonal().sub_(1e4);
    CHECK_FALSE(nn::cholesky(a).has_value());
  }
}

TEST_CASE("direct regressions from moments are those from windows, for every centring") {
  const auto x = test::noisy_cycles(1, 260, 5);
  const windows w(x.channel(0), 12, 4);
  const auto rows = w.inputs.size(0);
  for (const auto centre :
       {ar::window_centring::none, ar::window_centring::last_value, ar::window_centring::window_mean})
    for (const bool intercept : {true, false}) {
      CAPTURE(static_cast<int>(centre));
      CAPTURE(intercept);
      const auto e =
          ar::direct_equations_of(ar::gram_of(ar::lag_moments::of(x, 15)), 12, 4, {centre, intercept});
      const auto map = ar::to_linear_map(e, ar::solve_direct(e));

      auto level = at::zeros({rows, 1}, at::kDouble);
      if (centre == ar::window_centring::last_value) level = w.inputs.slice(1, 0, 1);
      if (centre == ar::window_centring::window_mean) level = w.inputs.mean(1, true);
      auto in = w.inputs - level;
      // The direction in which centred inputs do not vary has no part in the solution: minimum norm.
      if (intercept) in = at::cat({in, at::ones({rows, 1}, at::kDouble)}, 1);
      const auto beta = in.pinverse(1e-10).mm(w.targets - level);
      const auto forecasts = in.mm(beta) + level;
      auto ours = w.inputs.mm(map.weights.t());
      for (std::size_t h = 0; h < 4; ++h) ours.select(1, static_cast<std::int64_t>(h)).add_(map.intercept[h]);
      CHECK(largest_gap(ours, forecasts) < 1e-8);
    }
}

TEST_CASE("a linear map forecasts what the autoregression iterates to") {
  const ar::model m{.order = 3, .differencing = 1, .coefficients = {.4, -.2, .1}, .intercept = .05};
  const auto x = test::noisy_cycles(1, 40, 9);
  const auto map = ar::to_linear_map(m, 10, 8);
  const auto plain = ar::forecast(m, x.channel(0), 8);
  const auto ours = ar::forecast(map, x.channel(0));
  for (std::size_t h = 0; h < 8; ++h) CHECK(ours[h] == doctest::Approx(plain[h]).epsilon(1e-12));
}

TEST_CASE("filtering by transforms gives the errors of forecast updating") {
  const auto x = test::noisy_cycles(2, 1500, 4);
  const ar::model m{.order = 2, .differencing = 1, .coefficients = {.3, -.2}, .intercept = .01};
  const ar::linear_forecaster twin{{ar::to_linear_map(m, 90, 40), ar::to_linear_map(m, 90, 40)}};
  std::vector<std::vector<double>> updated;
  ar::for_each_horizon_error(m, x, 100, 40, [&](std::size_t, std::size_t, std::span<const double> e) {
    updated.emplace_back(e.begin(), e.end());
  });
  std::size_t at = 0;
  double most = 0, squared = 0, total = 0;
  ar::for_each_horizon_error(twin, x, 100, 40, [&](std::size_t, std::size_t, std::span<const double> e) {
    REQUIRE(e.size() == updated[at].size());
    for (std::size_t i = 0; i < e.size(); ++i) most = std::max(most, std::abs(e[i] - updated[at][i]));
    squared += ar::sums_of(e).squared;
    total += ar::sums_of(updated[at]).squared;
    ++at;
  });
  CHECK(at == updated.size());
  CHECK(most < 1e-5);  // the transforms are in single precision
  CHECK(std::abs(squared / total - 1) < 1e-6);
}

TEST_CASE("filtering by transforms keeps its precision on a series far from zero") {
  const auto x = test::noisy_cycles(1, 600, 4);
  std::vector<double> high(x.channel(0).begin(), x.channel(0).end());
  for (double& v : high) v += 1e6;
  const ar::model m{.order = 2, .differencing = 1, .coefficients = {.3, -.2}};
  const ar::linear_forecaster forecaster{{ar::to_linear_map(m, 40, 10)}};
  const auto errors_of = [&](const data::series& s) {
    std::vector<double> out;
    ar::for_each_horizon_error(forecaster, s, 40, 10,
                               [&](std::size_t, std::size_t, std::span<const double> e) {
                                 out.insert(out.end(), e.begin(), e.end());
                               });
    return out;
  };
  const auto low = errors_of(x), lifted = errors_of(data::series({"high"}, {}, high));
  double most = 0;
  for (std::size_t i = 0; i < low.size(); ++i) most = std::max(most, std::abs(low[i] - lifted[i]));
  CHECK(most < 1e-5);
}

TEST_CASE("the horizons that are studied together share the factorisations, not the verdicts") {
  const auto parts = data::z_scored(data::by_ratio(test::noisy_cycles(3, 900, 11), .6, .2, .2));
  const ar::direct_pooling together(parts.train, parts.validation, 40, {8, 20}),
      alone(parts.train, parts.validation, 40, {20});
  CHECK(together.choose(20).strengths == alone.choose(20).strengths);
  CHECK(together.choose(20).validation_mse == alone.choose(20).validation_mse);
  CHECK(together.choose(8).validation_mse[0] < together.choose(20).validation_mse[0]);
  CHECK_THROWS_WITH_AS(together.choose(30), doctest::Contains("horizon 30 is not among those"), usage_error);
}

TEST_CASE("strength infinity is the common model, strength 0 the channel's own") {
  const auto x = test::noisy_cycles(3, 500, 6);
  ar::pooled_autoregressions pooled(x, 4, 1);
  CHECK(pooled.fit(0, kAll) == pooled.fit(1, kAll));
  CHECK(pooled.fit(0, kAll) == pooled.fit(2, kAll));
  const std::array first{std::size_t{0}};
  ar::pooled_autoregressions alone(x.select(first), 4, 1);
  CHECK(test::distance(pooled.fit(0, 0), alone.fit(0, kAll)) < 1e-10);
}

TEST_CASE("in between, the model minimises own error plus strength times distance in the mean Gram matrix") {
  const auto x = test::noisy_cycles(2, 300, 8);
  const double strength = 0.7;
  ar::pooled_autoregressions ours(x, 3, 1);
  std::vector<tensor> grams, rights;
  for (std::size_t c = 0; c < 2; ++c) {
    const std::array only{c};
    const auto y = ar::difference(x.select(only), 1);
    const windows w(y.channel(0), 3, 1);
    grams.push_back(w.inputs.t().mm(w.inputs));
    rights.push_back(w.inputs.t().mm(w.targets));
  }
  const auto mean = (grams[0] + grams[1]) / 2;
  const auto w0 = at::linalg_solve(mean, (rights[0] + rights[1]) / 2);
  for (std::size_t c = 0; c < 2; ++c) {
    const auto plain = at::linalg_solve(grams[c] + mean * strength, rights[c] + mean.mm(w0) * strength)
                           .reshape({-1})
                           .contiguous();
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(ours.fit(c, strength).coefficients[i] == doctest::Approx(nn::values_of(plain)[i]).epsilon(1e-10));
  }
}

TEST_CASE(
    "the strength that is chosen has the least error on validation, read off moments or scored by window") {
  const auto parts = data::z_scored(data::by_ratio(test::noisy_cycles(3, 900, 11), .6, .2, .2));
  const ar::window_grid grid{40, 20};
  const ar::autoregression_pooling pooling(parts.train, parts.validation, grid.context);
  const auto iterated = pooling.choose(grid.horizon);
  const auto direct =
      ar::direct_pooling(parts.train, parts.validation, grid.context, {grid.horizon}).choose(grid.horizon);
  ar::pooled_autoregressions autoregressions(parts.train.rows(), grid.context - 1, 1);
  ar::pooled_direct regressions(parts.train.rows(), grid);
  for (std::size_t c = 0; c < 3; ++c) {
    double least = kAll, least_direct = kAll;
    for (const double s : ar::kPoolingStrengths) {
      const std::array only{c};
      const auto held = parts.validation.with_history(grid.context).select(only);
      const auto error = [&](const auto& m) {
        double sum = 0, count = 0;
        ar::for_each_horizon_error(m, held, grid.context, grid.horizon,
                                   [&](std::size_t, std::size_t, std::span<const double> e) {
                                     sum += ar::sums_of(e).squared;
                                     count += static_cast<double>(e.size());
                                   });
        return sum / count;
      };
      least = std::min(least, error(autoregressions.fit(c, s)));
      least_direct = std::min(least_direct, error(ar::linear_forecaster{{regressions.fit(c, s)}}));
    }
    CHECK(iterated.validation_mse[c] == doctest::Approx(least).epsilon(1e-10));
    CHECK(direct.validation_mse[c] == doctest::Approx(least_direct).epsilon(1e-7));  // transforms in float
  }
}

TEST_CASE("best averages the forecasts of its halves") {
  const auto parts = data::z_scored(data::by_ratio(test::noisy_cycles(2, 700, 12), .6, .2, .2));
  const auto rows = parts.train.whole().slice(0, parts.validation.last());
  const auto forecast_of = [&](ar::pooled_forecast which) {
    const auto study = ar::best_search(parts.train, parts.validation, 30, {10}, which).choose(10);
    const auto maps = ar::best_fit(rows, 30)(study);
    return ar::forecast(maps.channels[1], rows.channel(1));
  };
  const auto a = forecast_of(ar::pooled_forecast::autoregression),
             d = forecast_of(ar::pooled_forecast::direct), both = forecast_of(ar::pooled_forecast::average);
  for (std::size_t h = 0; h < 10; ++h) CHECK(both[h] == doctest::Approx((a[h] + d[h]) / 2).epsilon(1e-12));
}

}  // namespace
