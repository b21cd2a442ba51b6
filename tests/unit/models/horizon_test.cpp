#include "fmsb/evaluate/intervals.hpp"
#include "fmsb/models/ar/correlate.hpp"
#include "fmsb/models/ar/exogenous.hpp"
#include "fmsb/models/ar/horizon_errors.hpp"
#include "fmsb/models/ar/horizon_sse.hpp"
#include "fmsb/models/ar/horizon_walk.hpp"
#include "fmsb/models/ar/intervals.hpp"
#include "fmsb/models/ar/qr_fit.hpp"
#include "fmsb/models/ar/zero_shot.hpp"

#include "support/property.hpp"
#include "unit/models/ar_support.hpp"

#include <rapidcheck.h>

#include "support/doctest.hpp"

namespace {

using namespace fmsb;
using test::holds;

std::size_t draw(std::size_t first, std::size_t last) { return *rc::gen::inRange(first, last + 1); }

std::uint64_t draw_seed() { return *rc::gen::arbitrary<std::uint64_t>(); }

/// Coefficients that need not be stable, yet do not explode within a few dozen steps.
ar::model draw_model(std::size_t order, int differencing) {
  std::mt19937_64 engine(draw_seed());
  std::uniform_real_distribution<double> uniform(-1, 1);
  ar::model m{.order = order, .differencing = differencing, .coefficients = {}, .intercept = uniform(engine)};
  for (std::size_t i = 0; i < order; ++i)
    m.coefficients.push_back(1.1 * uniform(engine) / static_cast<double>(order));
  return m;
}

/// errors[channel][step - 1][window], each window forecast by the plain recursion.
using error_table = std::vector<std::vector<std::vector<double>>>;

template <class Forecast>
error_table errors_of_windows(const data::series& x, std::size_t context, std::size_t horizon,
                              const Forecast& forecast) {
  error_table table(x.channels(), std::vector<std::vector<double>>(horizon));
  for (std::size_t w = 0; w + context + horizon <= x.length(); ++w)
    for (std::size_t c = 0; c < x.channels(); ++c) {
      const auto path = forecast(c, w, x.channel(c).subspan(w, context));
      for (std::size_t h = 0; h < horizon; ++h)
        table[c][h].push_back(x.channel(c)[w + context + h] - path[h]);
    }
  return table;
}

error_table plain_errors(const ar::model& m, const data::series& x, std::size_t context,
                         std::size_t horizon) {
  return errors_of_windows(x, context, horizon,
                           [&](std::size_t, std::size_t, std::span<const double> inputs) {
                             return ar::forecast(m, inputs, horizon);
                           });
}

/// Gathers what a visitor is given, appending run by run.
struct gathered {
  error_table table;
  gathered(std::size_t channels, std::size_t horizon)
      : table(channels, std::vector<std::vector<double>>(horizon)) {}
  void operator()(std::size_t channel, std::size_t step, std::span<const double> errors) {
    auto& to = table.at(channel).at(step - 1);
    to.insert(to.end(), errors.begin(), errors.end());
  }
};

double distance(const error_table& a, const error_table& b) {
  double most = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t c = 0; c < a.size(); ++c)
    for (std::size_t h = 0; h < a[c].size(); ++h) {
      if (a[c][h].size() != b[c][h].size()) return 1e300;
      for (std::size_t w = 0; w < a[c][h].size(); ++w) {
        const double off = std::abs(a[c][h][w] - b[c][h][w]) / (1 + std::abs(a[c][h][w]));
        most = off <= most ? most : off;  // NaN becomes the distance
      }
    }
  return most;
}

double mean_square(const error_table& table) {
  double sum = 0, count = 0;
  for (const auto& channel : table)
    for (const auto& step : channel)
      for (double e : step) sum += e * e, count += 1;
  return sum / count;
}

struct setting {
  std::size_t channels, order, context, horizon, length;
  int differencing;
  data::series x;
  setting()
      : channels(draw(1, 3)),
        order(draw(0, 12)),
        context(0),
        horizon(draw(1, 20)),
        length(0),
        differencing(static_cast<int>(draw(0, 2))) {
    context = order + static_cast<std::size_t>(differencing) + draw(0, 9);
    length = context + horizon + draw(0, 60);
    x = test::noisy_cycles(channels, length, draw_seed());
  }
};

}  // namespace

TEST_CASE("forecast updating gives the error of every window and step") {
  CHECK(holds("for_each_horizon_error == forecasts of explicit windows", [] {
    const setting s;
    const auto m = draw_model(s.order, s.differencing);
    const auto plain = plain_errors(m, s.x, s.context, s.horizon);
    gathered ours(s.channels, s.horizon);
    ar::for_each_horizon_error(m, s.x, s.context, s.horizon, ours);
    RC_ASSERT(distance(plain, ours.table) < 1e-10);
    gathered walked(s.channels, s.horizon);
    auto walk = ar::horizon_walk::of(m, s.x, s.context, s.horizon);
    while (walk.advance())
      for (std::size_t c = 0; c < s.channels; ++c) walked(c, walk.step(), walk.errors(c));
    RC_ASSERT(distance(ours.table, walked.table) == 0);
  }));
}

TEST_CASE("the sums of a stretch of errors are its squared and absolute sums") {
  CHECK(holds("sums_of == plain sums", [] {
    const auto x = test::noisy_cycles(1, draw(0, 70), draw_seed());
    double squared = 0, absolute = 0;
    for (double e : x.channel(0)) squared += e * e, absolute += std::abs(e);
    const auto ours = ar::sums_of(x.channel(0));
    RC_ASSERT(std::abs(ours.squared - squared) <= 1e-13 * squared);
    RC_ASSERT(std::abs(ours.absolute - absolute) <= 1e-13 * absolute);
  }));
}

TEST_CASE("the windowless mean squared error is that of all windows, for a path's orders and for one model") {
  CHECK(holds("horizon_scorer::mse == mean over explicit windows", [] {
    const setting s;
    const auto m = draw_model(s.order, s.differencing);
    const std::size_t spare =
        s.context - static_cast<std::size_t>(s.differencing);  // orders that the context bears
    const ar::horizon_scorer scorer(s.x, {s.context, s.horizon}, s.differencing, draw(s.order, spare));
    const double plain = mean_square(plain_errors(m, s.x, s.context, s.horizon));
    RC_ASSERT(std::abs(scorer.mse(m) - plain) < 1e-9 * plain);
    const auto y = ar::difference(test::noisy_cycles(s.channels, 200, 7), s.differencing);
    const auto path = ar::fit_orders(ar::gram_of(ar::lag_moments::of(y, s.order)), s.order, s.differencing);
    const std::vector<std::size_t> orders{s.order, s.order / 2, 0};
    const auto ours = scorer.mse(path, orders);
    for (std::size_t k = 0; k < orders.size(); ++k) {
      const double each = mean_square(plain_errors(path.at(orders[k]), s.x, s.context, s.horizon));
      RC_ASSERT(std::abs(ours[k] - each) < 1e-9 * (1 + each));
    }
  }));
}

TEST_CASE("every instruction set gives the same answer up to rounding") {
  std::vector<isa::level> levels{isa::level::baseline};
  if (isa::current() >= isa::level::avx2) levels.push_back(isa::level::avx2);
  if (isa::current() >= isa::level::avx512) levels.push_back(isa::level::avx512);
  CHECK(holds("run_at(level) == run_at(baseline)", [&] {
    const std::size_t n = draw(1, 300), taps = draw(1, 40);
    const auto x = test::noisy_cycles(1, n + taps, draw_seed());
    const double* values = x.channel(0).data();
    const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(a)); };
    std::vector<std::vector<double>> out(levels.size());
    for (std::size_t l = 0; l < levels.size(); ++l) {
      auto& o = out[l];
      o.assign(n, 0.5);
      isa::run_at<ar::detail::correlate_kernel>(levels[l], o.data(), n, values, taps, values);
      isa::run_at<ar::detail::extend_errors_kernel>(levels[l], o.data(), values, n, 0.7);
      std::vector<double> response(n, 0.1);
      isa::run_at<ar::detail::scatter_kernel>(levels[l], response.data(), n, values,
                                              std::min<std::size_t>(n, 2));
      for (auto& r : response) r = std::atan(r);  // two taps may grow: compare angles
      o.insert(o.end(), response.begin(), response.end());
      ar::error_sums sums;
      isa::run_at<ar::detail::error_sums_kernel>(levels[l], &sums, values, n);
      o.push_back(sums.squared);
      o.push_back(sums.absolute);
      std::vector<double> next(n);
      const double* ends[] = {values + 1, values};
      const double weights[] = {0.3, -0.4};
      isa::run_at<ar::detail::displace_kernel>(levels[l], next.data(), values, n,
                                               static_cast<const double* const*>(ends),
                                               static_cast<const double*>(weights), std::size_t{2}, 1.01);
      o.insert(o.end(), next.begin(), next.end());
      std::vector<double> s(values, values + n), k(n, 0.2), psi(n, 0.9), head(n, 0.1), tail(n, 0.3);
      const double* pair[] = {head.data(), tail.data()};
      double total = 0;
      isa::run_at<ar::detail::trace_kernel>(levels[l], &total, s.data(), k.data(),
                                            static_cast<const double*>(psi.data()),
                                            static_cast<const double* const*>(pair), std::size_t{1}, n);
      o.push_back(total / static_cast<double>(n * n));
    }
    for (const auto& o : out)
      for (std::size_t i = 0; i < o.size(); ++i) RC_ASSERT(same(out[0][i], o[i]));
  }));
}

TEST_CASE("conformal offsets are the order statistics at the finite-sample ranks") {
  const auto x = test::noisy_cycles(2, 160, 11);
  const auto m = ar::fit_by_qr(x.slice(0, 80), 3, 0).fitted;
  const std::size_t context = 5, horizon = 4;
  const auto plain = plain_errors(m, x, context, horizon);
  const std::size_t n = plain[0][0].size();
  CHECK(n == 152);
  for (const auto scope : {ar::interval_scope::per_channel, ar::interval_scope::pooled})
    for (const auto score : {ar::interval_score::signed_error, ar::interval_score::absolute_error}) {
      const auto offsets =
          ar::calibrate_intervals(m, x, context, horizon, {{0.5, 0.9, 0.9999}, score, scope});
      for (std::size_t l = 0; l < 2; ++l)
        for (std::size_t c = 0; c < 2; ++c)
          for (std::size_t h = 0; h < horizon; ++h) {
            auto errors = plain[c][h];
            if (scope == ar::interval_scope::pooled)
              errors.insert(errors.end(), plain[1 - c][h].begin(), plain[1 - c][h].end());
            if (score == ar::interval_score::absolute_error)
              for (auto& e : errors) e = std::abs(e);
            std::sort(errors.begin(), errors.end());
            const double size = static_cast<double>(errors.size());
            const double level = offsets.levels[l];
            const auto bounds = offsets.at(l, c, h + 1);
            if (score == ar::interval_score::absolute_error) {
              const auto rank = static_cast<std::size_t>(std::ceil((size + 1) * level - 1e-9));
              CHECK(bounds.upper == doctest::Approx(errors[rank - 1]).epsilon(1e-12));
              CHECK(bounds.lower == -bounds.upper);
            } else {
              const auto rank = static_cast<std::size_t>(std::ceil((size + 1) * (1 + level) / 2 - 1e-9));
              CHECK(bounds.upper == doctest::Approx(errors[rank - 1]).epsilon(1e-12));
              CHECK(bounds.lower == doctest::Approx(errors[errors.size() - rank]).epsilon(1e-12));
            }
          }
      CHECK(std::isinf(offsets.at(2, 0, 1).upper));  // 152 windows cannot vouch for .9999
      CHECK(std::isinf(offsets.at(2, 0, 1).lower));
    }
  CHECK_THROWS_AS((void)ar::calibrate_intervals(m, x, context, horizon, {.levels = {1.0}}), usage_error);
}

TEST_CASE("on the stretch that calibrated them, intervals cover at least their level") {
  CHECK(holds("coverage on calibration >= level", [] {
    const auto x = test::noisy_cycles(draw(1, 3), draw(60, 300), draw_seed());
    const auto m = draw_model(draw(0, 4), static_cast<int>(draw(0, 1)));
    const ar::interval_options options{
        {0.5, 0.8, 0.95},
        *rc::gen::element(ar::interval_score::signed_error, ar::interval_score::absolute_error),
        *rc::gen::element(ar::interval_scope::per_channel, ar::interval_scope::pooled)};
    const auto offsets = ar::calibrate_intervals(m, x, 8, 5, options);
    std::vector<std::vector<metrics::interval_accumulator>> scores;
    for (double level : options.levels) scores.emplace_back(5, metrics::interval_accumulator(level));
    ar::for_each_interval(
        offsets, m, x, 8,
        [&](std::size_t l, std::size_t step, std::span<const double> errors, ar::interval_bounds b) {
          scores[l][step - 1].add_errors(errors, b.lower, b.upper);
        });
    for (const auto& of_level : scores)
      for (const auto& of_step : of_level) {
        const auto r = of_step.result();
        RC_ASSERT(r.coverage >= r.level);
        RC_ASSERT(r.coverage <= 1);
      }
  }));
}

TEST_CASE("normal intervals widen as the impulse response says, and cover a true model's errors") {
  const ar::model walk{.order = 0, .differencing = 1, .coefficients = {}, .intercept = 0};
  const auto offsets = ar::normal_intervals(walk, 4.0, 2, 9, {0.95});
  for (std::size_t h = 1; h <= 9; ++h)
    CHECK(offsets.at(0, 1, h).upper ==
          doctest::Approx(1.959963984540054 * 2 * std::sqrt(static_cast<double>(h))));
  CHECK(offsets.at(0, 0, 3).lower == -offsets.at(0, 0, 3).upper);
  CHECK(ar::normal_half_width(0.5) == doctest::Approx(0.6744897501960817).epsilon(1e-12));

  const ar::model truth{.order = 2, .differencing = 0, .coefficients = {1.2, -0.6}, .intercept = 0.3};
  const auto x = test::noisy_cycles(4, 4000, 5);
  metrics::interval_accumulator score(0.9);
  ar::for_each_interval(ar::normal_intervals(truth, 1.0, 4, 12, {0.9}), truth, x, 2,
                        [&](std::size_t, std::size_t, std::span<const double> errors, ar::interval_bounds b) {
                          score.add_errors(errors, b.lower, b.upper);
                        });
  CHECK(std::abs(score.result().coverage - 0.9) < 0.015);
}

TEST_CASE("a zero-shot model is fitted to its own window and to nothing else") {
  CHECK(holds("for_each_zero_shot_error == a fit from nothing in every window", [] {
    const std::size_t channels = draw(1, 3), bound = draw(1, 6), horizon = draw(1, 8);
    const int differencing = static_cast<int>(draw(0, 2));
    const std::size_t context = 40 + draw(0, 30);
    const auto x = test::noisy_cycles(channels, context + horizon + draw(0, 150), draw_seed());
    ar::zero_shot_options options{
        .context = context,
        .horizon = horizon,
        .differencing = differencing,
        .max_order = bound,
        .method = *rc::gen::element(ar::zero_shot_method::burg, ar::zero_shot_method::least_squares),
        .rule = *rc::gen::element(ar::criterion::aicc, ar::criterion::bic),
        .hold_out = *rc::gen::element<std::size_t>(0, 12),
        .drift = *rc::gen::arbitrary<bool>()};
    const bool burg = options.method == ar::zero_shot_method::burg;
    if (burg) options.hold_out = 0;
    // Without an intercept the first moments count as zero.
    const auto fit = [&](const data::series& y) {
      if (burg)
        return ar::fit_burg(y, bound, differencing,
                            options.has_intercept() ? ar::centring::mean : ar::centring::zero);
      auto g = ar::gram_of(ar::lag_moments::of(y, bound));
      if (!options.has_intercept()) g.first.zero_();
      return ar::fit_orders(g, bound, differencing);
    };
    std::vector<std::size_t> plain_orders;
    ar::model fitted;
    const auto plain = errors_of_windows(
        x, context, horizon, [&](std::size_t c, std::size_t w, std::span<const double> inputs) {
          if (c == 0) {
            const auto y = ar::difference(x.slice(w, w + context), differencing);
            const auto path = fit(y);
            std::size_t order = ar::best_order(options.rule, path);
            if (options.hold_out > 0) {
              const std::size_t cut = y.length() - options.hold_out;
              const auto early = fit(y.slice(0, cut));
              std::vector<double> squares;
              for (std::size_t k = 0; k <= bound; ++k) {
                auto candidate = early.at(k);
                candidate.differencing = 0;  // of values that are differenced already
                gathered errors(channels, 1);
                ar::for_each_horizon_error(candidate, y.slice(cut - bound, y.length()), bound, 1, errors);
                squares.push_back(mean_square(errors.table));
              }
              order = ar::index_of_smallest(squares);
            }
            fitted = path.at(order);
            plain_orders.push_back(order);
          }
          return ar::forecast(fitted, inputs, horizon);
        });
    gathered ours(channels, horizon);
    const auto orders = ar::for_each_zero_shot_error(x, options, ours);
    RC_ASSERT(orders == plain_orders);
    RC_ASSERT(distance(plain, ours.table) < 1e-8);
  }));
}

TEST_CASE("a fit without first moments is least squares without intercept") {
  const auto x = test::noisy_cycles(2, 200, 9);
  auto g = ar::gram_of(ar::lag_moments::of(x, 1));
  g.first.zero_();
  double product = 0, energy = 0;
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t t = 1; t < 200; ++t) {
      product += x.channel(c)[t] * x.channel(c)[t - 1];
      energy += x.channel(c)[t - 1] * x.channel(c)[t - 1];
    }
  const auto m = ar::fit_orders(g, 1, 0).at(1);
  CHECK(m.intercept == 0);
  CHECK(m.coefficients[0] == doctest::Approx(product / energy).epsilon(1e-12));
}

TEST_CASE("zero-shot windows without variation are forecast by their last value") {
  std::vector<double> values(120, 3.0);
  const data::series x({"x"}, {}, values);
  for (const auto method : {ar::zero_shot_method::burg, ar::zero_shot_method::least_squares})
    for (const bool drift : {false, true}) {
      gathered errors(1, 4);
      (void)ar::for_each_zero_shot_error(x, {.context = 40, .horizon = 4, .method = method, .drift = drift},
                                         errors);
      CHECK(errors.table[0][0].size() == 77);
      for (const auto& step : errors.table[0])
        for (double e : step) CHECK(std::abs(e) < 1e-12);
    }
  gathered errors(1, 4);
  CHECK_THROWS_AS((void)ar::for_each_zero_shot_error(x, {.context = 118, .horizon = 4}, errors), usage_error);
  CHECK_THROWS_WITH_AS(
      (void)ar::for_each_zero_shot_error(x, {.context = 40, .horizon = 4, .max_order = 25}, errors),
      doctest::Contains("orders up to 25"), usage_error);
}

TEST_CASE("a fit with exogenous columns is least squares on lags and columns together") {
  CHECK(holds("fit_with_exogenous == QR of the plain design", [] {
    const std::size_t channels = draw(1, 3), columns = draw(1, 3), order = draw(0, 6), lags = draw(0, 5);
    const auto d = draw(0, 2);
    const std::size_t length = draw(100, 200);
    const auto y = test::noisy_cycles(channels, length, draw_seed());
    const auto v = test::noisy_cycles(columns, length, draw_seed());
    const auto ours = ar::fit_with_exogenous(y, v, order, lags, static_cast<int>(d));
    const auto yd = ar::difference(y, static_cast<int>(d)), vd = ar::difference(v, static_cast<int>(d));
    const std::size_t first = std::max(order, lags), size = 1 + order + columns * (lags + 1);
    const std::size_t rows = yd.length() - first;
    const auto design = ar::doubles(channels * rows, size), target = ar::doubles(channels * rows, 1);
    for (std::size_t c = 0, r = 0; c < channels; ++c)
      for (std::size_t t = first; t < yd.length(); ++t, ++r) {
        double* row = nn::values_of(design).data() + r * size;
        *row++ = 1;
        for (std::size_t i = 1; i <= order; ++i) *row++ = yd.channel(c)[t - i];
        for (std::size_t k = 0; k < columns; ++k)
          for (std::size_t l = 0; l <= lags; ++l) *row++ = vd.channel(k)[t - l];
        nn::values_of(target)[r] = yd.channel(c)[t];
      }
    const auto [q, upper] = at::linalg_qr(design);
    const auto b = at::linalg_solve_triangular(upper, at::mm(q.t(), target), true).contiguous();
    const auto beta = nn::values_of(b);
    double most = std::abs(beta[0] - ours.autoregression.intercept);
    for (std::size_t i = 0; i < order; ++i)
      most = std::max(most, std::abs(beta[1 + i] - ours.autoregression.coefficients[i]));
    for (std::size_t i = 0; i < ours.weights.size(); ++i)
      most = std::max(most, std::abs(beta[1 + order + i] - ours.weights[i]));
    RC_ASSERT(most < 1e-9);
  }));
}

TEST_CASE("with columns known in the future, the errors still follow from one-step residuals") {
  CHECK(holds("for_each_horizon_error(exogenous) == forecasts of explicit windows", [] {
    const setting s;
    const std::size_t columns = draw(1, 2),
                      lags = draw(0, s.context - static_cast<std::size_t>(s.differencing));
    const auto v = test::noisy_cycles(columns, s.length, draw_seed());
    ar::exogenous_model m{.autoregression = draw_model(s.order, s.differencing),
                          .columns = columns,
                          .lags = lags,
                          .weights = {}};
    for (std::size_t i = 0; i < columns * (lags + 1); ++i)
      m.weights.push_back(0.5 - 0.1 * static_cast<double>(i % 11));
    const auto plain = errors_of_windows(
        s.x, s.context, s.horizon, [&](std::size_t, std::size_t w, std::span<const double> inputs) {
          return ar::forecast(m, inputs, v.slice(w, w + s.context + s.horizon), s.horizon);
        });
    gathered ours(s.channels, s.horizon);
    ar::for_each_horizon_error(m, s.x, v, s.context, s.horizon, ours);
    RC_ASSERT(distance(plain, ours.table) < 1e-9);
  }));
}

TEST_CASE("an exogenous column that drives the series is found, and helps") {
  const auto v = test::noisy_cycles(1, 3000, 3), base = test::noisy_cycles(2, 3000, 4);
  std::vector<double> values;
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t t = 0; t < 3000; ++t) values.push_back(base.channel(c)[t] + 2 * v.channel(0)[t]);
  const data::series y(base.names(), {}, values);
  const auto m = ar::fit_with_exogenous(y.slice(0, 2000), v.slice(0, 2000), 2, 2, 0);
  // base is an autoregression with 1.2, -.6: y follows it with 2 (v(t) - 1.2 v(t-1) + .6 v(t-2)) added
  CHECK(m.weights[0] == doctest::Approx(2).epsilon(0.03));
  CHECK(m.weights[1] == doctest::Approx(-2.4).epsilon(0.05));
  CHECK(m.weights[2] == doctest::Approx(1.2).epsilon(0.08));
  gathered with(2, 10), without(2, 10);
  ar::for_each_horizon_error(m, y.slice(2000, 3000), v.slice(2000, 3000), 10, 10, with);
  const auto plain = ar::fit_by_qr(y.slice(0, 2000), 2, 0).fitted;
  ar::for_each_horizon_error(plain, y.slice(2000, 3000), 10, 10, without);
  CHECK(mean_square(with.table) < 0.5 * mean_square(without.table));
  CHECK_THROWS_AS((void)ar::fit_with_exogenous(y, v.slice(0, 10), 2, 2, 0), usage_error);
  CHECK_THROWS_AS((void)ar::fit_with_exogenous(y.slice(0, 5), v.slice(0, 5), 3, 2, 1), data_error);
}
