#include "fmsb/models/ar/burg.hpp"
#include "fmsb/models/ar/criteria.hpp"
#include "fmsb/models/ar/lag_gram.hpp"
#include "fmsb/models/ar/orders.hpp"
#include "fmsb/models/ar/qr_fit.hpp"
#include "fmsb/models/ar/yule_walker.hpp"

#include "support/property.hpp"
#include "unit/models/ar_support.hpp"

#include <rapidcheck.h>

#include <filesystem>  // std::filesystem::path

#include "support/doctest.hpp"

namespace {

using namespace fmsb;
using test::holds;

std::size_t draw(std::size_t first, std::size_t last) { return *rc::gen::inRange(first, last + 1); }

data::series draw_series(std::size_t shortest, std::size_t longest) {
  return test::noisy_cycles(draw(1, 4), draw(shortest, longest), *rc::gen::arbitrary<std::uint64_t>());
}

data::series golden(const char* name) {
  return data::read_csv(std::filesystem::path(FMSB_SOURCE_DIR) / "tests" / "parity" / "golden" / name);
}

ar::order_path path_of(const data::series& y, std::size_t max_order, int differencing = 0) {
  return ar::fit_orders(ar::gram_of(ar::lag_moments::of(y, max_order)), max_order, differencing);
}

std::vector<double> noise(std::size_t length, std::uint64_t seed) {
  const auto x = test::noisy_cycles(1, length, seed);
  return {x.channel(0).begin(), x.channel(0).end()};
}

double mean_of(const data::series& x) {
  double sum = 0;
  for (std::size_t c = 0; c < x.channels(); ++c)
    for (double v : x.channel(c)) sum += v;
  return sum / static_cast<double>(x.channels() * x.length());
}

data::series without_mean(const data::series& x) {
  const double mean = mean_of(x);
  std::vector<double> values;
  for (std::size_t c = 0; c < x.channels(); ++c)
    for (double v : x.channel(c)) values.push_back(v - mean);
  return {x.names(), {}, std::move(values)};
}

/// Burg's method as in the textbooks: both error series of every channel kept whole, sums written out.
std::vector<double> plain_reflections(const data::series& x, std::size_t max_order) {
  const double mean = mean_of(x);
  std::vector<std::vector<double>> forward, backward;
  for (std::size_t c = 0; c < x.channels(); ++c) {
    forward.emplace_back(x.channel(c).begin(), x.channel(c).end());
    for (auto& v : forward.back()) v -= mean;
  }
  backward = forward;
  std::vector<double> reflections;
  for (std::size_t m = 1; m <= max_order; ++m) {
    double product = 0, energy = 0;
    for (std::size_t c = 0; c < x.channels(); ++c)
      for (std::size_t t = m; t < x.length(); ++t) {
        const double f = forward[c][t], b = backward[c][t - 1];
        product += f * b;
        energy += f * f + b * b;
      }
    const double k = energy > 0 ? 2 * product / energy : 0;
    reflections.push_back(k);
    for (std::size_t c = 0; c < x.channels(); ++c)
      for (std::size_t t = x.length(); t-- > m;) {
        const double f = forward[c][t], b = backward[c][t - 1];
        forward[c][t] = f - k * b;
        backward[c][t] = b - k * f;
      }
  }
  return reflections;
}

bool is_stable(const ar::model& m) {  // step-down: every reflection coefficient lies within (-1, 1)
  auto a = m.coefficients;
  while (!a.empty()) {
    const double k = a.back();
    if (!(std::abs(k) < 1)) return false;
    const auto whole = a;
    a.pop_back();
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = (whole[i] + k * whole[a.size() - 1 - i]) / (1 - k * k);
  }
  return true;
}

}  // namespace

TEST_CASE("every order of the one factorisation is the least-squares fit on the common sample") {
  CHECK(holds("fit_orders == QR, order by order", [] {
    const auto x = draw_series(80, 300);
    const std::size_t most = draw(0, 15), asked = draw(0, most);
    const auto path = path_of(x, most);
    const auto plain = ar::fit_by_qr(x.slice(most - asked, x.length()), asked, 0);
    RC_ASSERT(path.samples == static_cast<double>(plain.samples));
    RC_ASSERT(test::distance(plain.fitted, path.at(asked)) < 1e-9);
    RC_ASSERT(std::abs(path.rss[asked] - plain.rss) < 1e-9 * plain.rss);
  }));
}

TEST_CASE("the fit of one order on its own sample is the QR solution") {
  CHECK(holds("fit_order == QR", [] {
    const auto x = draw_series(80, 300);
    const std::size_t order = draw(0, 20);
    const auto ours = ar::fit_order(ar::gram_of(ar::lag_moments::of(x, order)), order, 0);
    RC_ASSERT(test::distance(ar::fit_by_qr(x, order, 0).fitted, ours) < 1e-9);
  }));
}

TEST_CASE("on ETTh1 the coefficients agree with QR to 1e-9, on levels and on differences") {
  const auto splits = test::etth1();
  if (!splits) return test::skip("timeseries/ETTh1.csv is not there");
  const auto fitted_on = splits->validation.whole().slice(0, splits->validation.last());
  for (int differencing : {0, 1})
    for (std::size_t order : {24u, 192u}) {
      const auto y = ar::difference(fitted_on, differencing);
      const auto plain = ar::fit_by_qr(y, order, differencing);
      CHECK(plain.rank == order + 1);
      CHECK(test::distance(plain.fitted, ar::fit_order(ar::gram_of(ar::lag_moments::of(y, order)), order,
                                                       differencing)) < 1e-9);
    }
}

TEST_CASE("QR in blocks is QR of the whole design, and segments are kept apart") {
  CHECK(holds("fit_by_qr over segments == ledger", [] {
    const std::size_t order = draw(0, 8), channels = draw(1, 3);
    std::vector<data::series> segments;
    test::sample_ledger ledger(channels, order, 0, 1);
    for (std::size_t s = 0; s < draw(1, 3); ++s) {
      segments.push_back(test::noisy_cycles(channels, draw(40, 700), *rc::gen::arbitrary<std::uint64_t>()));
      test::sample_ledger part(channels, order, 0, 1);
      std::vector<double> row(channels);
      for (std::size_t t = 0; t < segments.back().length(); ++t) {
        for (std::size_t c = 0; c < channels; ++c) row[c] = segments.back().channel(c)[t];
        part.tick(row);
      }
      ledger.merge(part);
    }
    const auto ours = ar::fit_by_qr(segments, order, 0);
    RC_ASSERT(ours.samples == ledger.samples.size());
    RC_ASSERT(test::distance(ledger.fit(order), ours.fitted) < 1e-10);
  }));
}

TEST_CASE("a rank-deficient design gets the solution of minimum norm") {
  const double level = 2.5;
  const std::size_t order = 6;
  const data::series constant({"x"}, {}, std::vector<double>(300, level));
  const auto fit = ar::fit_by_qr(constant, order, 0);
  CHECK(fit.rank == 1);
  CHECK(fit.rss < 1e-20);
  // b0 + level * sum(b) = level, at minimum norm: b proportional to (1, level, .., level)
  const double share = level / (1 + static_cast<double>(order) * level * level);
  CHECK(fit.fitted.intercept == doctest::Approx(share).epsilon(1e-12));
  for (double b : fit.fitted.coefficients) CHECK(b == doctest::Approx(share * level).epsilon(1e-12));

  const data::series few({"x"}, {}, noise(9, 5));  // 3 samples, 7 coefficients
  const auto exact = ar::fit_by_qr(few, order, 0);
  CHECK(exact.samples == 3);
  CHECK(exact.rank == 3);
  CHECK(exact.rss < 1e-20);
  CHECK_THROWS_AS((void)ar::fit_by_qr(few, 9, 0), data_error);
  CHECK_THROWS_AS((void)ar::fit_by_qr(data::series({"x"}, {}, {1, 2, NAN, 3}), 1, 0), data_error);
}

TEST_CASE("Burg's method by lattice stages in place is the textbook's, pooled over channels") {
  CHECK(holds("fit_burg == plain recursion", [] {
    const auto x = draw_series(30, 1300);
    const std::size_t most = draw(1, 12);
    const auto plain = plain_reflections(x, most);
    const auto path = ar::fit_burg(x, most, 0);
    for (std::size_t m = 1; m <= most; ++m) {
      RC_ASSERT(std::abs(path.at(m).coefficients.back() - plain[m - 1]) < 1e-10);
      RC_ASSERT(std::abs(path.rss[m] - path.rss[m - 1] * (1 - plain[m - 1] * plain[m - 1])) <=
                1e-10 * path.rss[m - 1]);
    }
  }));
}

TEST_CASE("the Durbin-Levinson recursion solves the Yule-Walker equations of every order") {
  CHECK(holds("Toeplitz(r) phi == r, for pooled biased autocovariances", [] {
    const auto x = draw_series(5, 300);
    const std::size_t most = draw(1, 12);
    const double mean = mean_of(x), count = static_cast<double>(x.channels() * x.length());
    std::vector<double> r(most + 1);
    for (std::size_t k = 0; k <= most; ++k)
      for (std::size_t c = 0; c < x.channels(); ++c)
        for (std::size_t t = k; t < x.length(); ++t)
          r[k] += (x.channel(c)[t] - mean) * (x.channel(c)[t - k] - mean) / count;
    const auto path = ar::fit_yule_walker(x, most, 0);
    for (std::size_t m = 0; m <= most; ++m) {
      const auto fitted = path.at(m);
      double innovation = r[0], sum = 0;
      for (std::size_t i = 1; i <= m; ++i) {
        double left = 0;
        for (std::size_t j = 1; j <= m; ++j) left += r[i > j ? i - j : j - i] * fitted.coefficients[j - 1];
        RC_ASSERT(std::abs(left - r[i]) < 1e-10 * r[0]);
        innovation -= fitted.coefficients[i - 1] * r[i];
        sum += fitted.coefficients[i - 1];
      }
      RC_ASSERT(std::abs(path.rss[m] / path.samples - innovation) < 1e-10 * r[0]);
      RC_ASSERT(std::abs(fitted.intercept - mean * (1 - sum)) < 1e-10 * (1 + std::abs(mean)));
    }
  }));
}

TEST_CASE("Burg and Yule-Walker models are stable, even on a trend that least squares makes explosive") {
  std::vector<double> rising;
  for (int t = 0; t < 60; ++t) rising.push_back(std::exp(0.1 * t));
  const data::series x({"x"}, {}, rising);
  CHECK_FALSE(is_stable(path_of(x, 1).at(1)));
  const auto burg = ar::fit_burg(x, 10, 0), walker = ar::fit_yule_walker(x, 10, 0);
  for (std::size_t k = 1; k <= 10; ++k) {
    CHECK(is_stable(burg.at(k)));
    CHECK(is_stable(walker.at(k)));
  }
  CHECK(holds("stable on random data", [] {
    const auto y = draw_series(3, 60);
    const std::size_t most = draw(1, 10);
    RC_ASSERT(is_stable(ar::fit_burg(y, most, 0).at(most)));
    RC_ASSERT(is_stable(ar::fit_yule_walker(y, most, 0).at(most)));
  }));
}

TEST_CASE("where a model fits without error, the higher orders add nothing") {
  const data::series two({"x", "y"}, {}, {1, 4, -2, -5});  // centred about -.5: each channel a step
  const auto exact = ar::fit_burg(data::series({"x"}, {}, {1, -1}), 4, 0);
  CHECK(exact.at(4).coefficients == std::vector<double>{-1, 0, 0, 0});
  CHECK(exact.rss == std::vector<double>{2, 0, 0, 0, 0});
  for (double v : ar::fit_burg(two, 4, 0).rss) CHECK(v >= 0);
  CHECK(holds("variances never rise nor fall below zero", [] {
    const auto x = draw_series(1, 6);
    for (const auto& path : {ar::fit_burg(x, 8, 0), ar::fit_yule_walker(x, 8, 0)})
      for (std::size_t k = 1; k <= 8; ++k) RC_ASSERT((path.rss[k] >= 0 && path.rss[k] <= path.rss[k - 1]));
  }));
}

TEST_CASE("series without variance or without values do not break Burg and Yule-Walker") {
  const data::series constant({"x"}, {}, std::vector<double>(30, 4.0));
  for (const auto& path : {ar::fit_burg(constant, 3, 0), ar::fit_yule_walker(constant, 3, 0)}) {
    CHECK(path.at(3).intercept == doctest::Approx(4.0));
    CHECK(path.at(3).coefficients == std::vector<double>(3, 0.0));
    CHECK(path.rss[3] == 0);
  }
  CHECK_THROWS_AS((void)ar::fit_burg(data::series({"x"}, {}, {}), 2, 0), data_error);
  CHECK_THROWS_WITH_AS((void)ar::fit_yule_walker(data::series({"x"}, {}, {1, NAN, 2}), 2, 0),
                       doctest::Contains("channel \"x\""), data_error);
}

TEST_CASE("about zero, Burg and Yule-Walker fit values of mean zero as about their mean, without intercept") {
  const auto x = without_mean(test::noisy_cycles(3, 200, 4));
  for (const std::size_t k : {0u, 3u, 6u}) {
    CHECK(test::distance(ar::fit_burg(x, 6, 0).at(k), ar::fit_burg(x, 6, 0, ar::centring::zero).at(k)) <
          1e-12);
    CHECK(test::distance(ar::fit_yule_walker(x, 6, 0).at(k),
                         ar::fit_yule_walker(x, 6, 0, ar::centring::zero).at(k)) < 1e-12);
  }
  const auto shifted = test::noisy_cycles(1, 100, 2);  // mean .75
  CHECK(ar::fit_burg(shifted, 3, 0, ar::centring::zero).at(3).intercept == 0);
  CHECK(ar::fit_yule_walker(shifted, 3, 0, ar::centring::zero).at(3).intercept == 0);
}

TEST_CASE("criteria, Burg and Yule-Walker agree with statsmodels at every order") {
  const auto table = golden("ar_orders.csv"), x = golden("ar_series.csv");
  const auto column = [&](const std::string& name) {
    for (std::size_t c = 0; c < table.channels(); ++c)
      if (table.names()[c] == name) return table.channel(c);
    throw usage_error("no column " + name);
  };
  const std::size_t most = table.length() - 1;
  const auto path = path_of(x, most), burg = ar::fit_burg(x, most, 0),
             walker = ar::fit_yule_walker(x, most, 0);
  const auto close = [](double a, double b) { return std::abs(a - b) < 1e-9 * (1 + std::abs(b)); };
  for (const auto c : {ar::criterion::aic, ar::criterion::aicc, ar::criterion::bic, ar::criterion::hqic}) {
    const auto ours = ar::information(c, path);
    const auto theirs = column(std::string(ar::name_of(c)));
    for (std::size_t k = 0; k <= most; ++k) CHECK(close(ours[k], theirs[k]));
    CHECK(ar::best_order(c, path) == ar::index_of_smallest(theirs));
    if (c == ar::criterion::aicc) continue;  // ar_select_order has none
    const auto selected = column("select_" + std::string(ar::name_of(c)));
    // ar_select_order does not count the variance as a parameter
    const double parameter = c == ar::criterion::aic   ? 2
                             : c == ar::criterion::bic ? std::log(path.samples)
                                                       : 2 * std::log(std::log(path.samples));
    for (std::size_t k = 0; k <= most; ++k) CHECK(close(ours[k] - parameter, selected[k]));
    CHECK(ar::best_order(c, path) == ar::index_of_smallest(selected));
  }
  for (std::size_t k = 0; k <= most; ++k) {
    CHECK(close(path.at(k).intercept, column("intercept")[k]));
    CHECK(close(path.rss[k] / path.samples, column("variance")[k]));
    CHECK(close(walker.rss[k] / walker.samples, column("yule_walker_variance")[k]));
    if (k == 0) continue;
    CHECK(close(path.at(k).coefficients.back(), column("last_lag")[k]));
    CHECK(close(burg.at(k).coefficients.back(), column("burg_last_lag")[k]));
    CHECK(close(walker.at(k).coefficients.back(), column("yule_walker_last_lag")[k]));
  }
}

TEST_CASE("of equal values the smaller order is chosen, and NaN never") {
  CHECK(ar::index_of_smallest(std::vector<double>{3, 1, 1, 2}) == 1);
  CHECK(ar::index_of_smallest(std::vector<double>{NAN, 2, NAN, 2}) == 1);
  CHECK(ar::index_of_smallest(std::vector<double>{5}) == 0);
  ar::order_path path;
  path.rss = {10, 10, 10};
  path.samples = 100;
  CHECK(ar::best_order(ar::criterion::bic, path) == 0);
  CHECK(ar::best_order(ar::criterion::bic, path, 1) == 1);
  CHECK_THROWS_AS((void)ar::best_order(ar::criterion::bic, path, 3), usage_error);
  CHECK(std::isinf(ar::information(ar::criterion::aicc, 8, 11, 1.0)));
  CHECK(std::isfinite(ar::information(ar::criterion::aicc, 8, 12, 1.0)));
}

TEST_CASE("the released criterion adds the penalty of one intercept and the lags to the log error") {
  CHECK(ar::released_criterion(0.5, 3, 1000) == doctest::Approx(std::log(0.5) + 4 * std::log(1000.0) / 1000));
}
