#include "fmsb/search/auto_ar/stationarity.hpp"  // kpss_statistic

#include <cmath>    // std::sin
#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <vector>   // std::vector

#include "support/doctest.hpp"

namespace {

using namespace fmsb;

enum class shape { stationary, walk, slope };

// A permutation of 0..1008 as noise, the same in Python: ((7919 t) mod 1009) / 1009 - 1/2.
std::vector<double> drawn(shape s) {
  std::vector<double> x;
  double level = 0;
  for (std::size_t t = 0; t < 500; ++t) {
    const double noise = static_cast<double>((t * 7919) % 1009) / 1009 - 0.5;
    level += noise;
    x.push_back(s == shape::walk    ? level
                : s == shape::slope ? noise + 0.01 * static_cast<double>(t)
                                    : noise + 0.3 * std::sin(static_cast<double>(t)));
  }
  return x;
}

data::series as_series(std::vector<double> x) { return {{"x"}, {}, std::move(x)}; }

TEST_CASE("the KPSS statistic is that of statsmodels 0.15, kpss(x, regression, nlags='auto')") {
  using ar::trend;
  CHECK(ar::kpss_statistic(drawn(shape::stationary), trend::level) ==
        doctest::Approx(0.09152593781680204).epsilon(1e-10));
  CHECK(ar::kpss_statistic(drawn(shape::stationary), trend::linear) ==
        doctest::Approx(0.06892762027888429).epsilon(1e-10));
  CHECK(ar::kpss_statistic(drawn(shape::walk), trend::level) ==
        doctest::Approx(0.742091015693504).epsilon(1e-10));
  CHECK(ar::kpss_statistic(drawn(shape::walk), trend::linear) ==
        doctest::Approx(0.2503881744703911).epsilon(1e-10));
  CHECK(ar::kpss_statistic(drawn(shape::slope), trend::level) ==
        doctest::Approx(3.9510804034688647).epsilon(1e-10));
  CHECK(ar::kpss_statistic(drawn(shape::slope), trend::linear) ==
        doctest::Approx(0.10613219319732621).epsilon(1e-10));
}

TEST_CASE("differences are counted until every channel passes, and never beyond the cap") {
  CHECK(ar::differences_by_kpss(as_series(drawn(shape::stationary)), 2) == 0);
  CHECK(ar::differences_by_kpss(as_series(drawn(shape::walk)), 2) == 1);
  CHECK(ar::differences_by_kpss(as_series(drawn(shape::walk)), 0) == 0);
  auto both = drawn(shape::stationary);
  const auto walk = drawn(shape::walk);
  both.insert(both.end(), walk.begin(), walk.end());
  CHECK(ar::differences_by_kpss({{"still", "walk"}, {}, both}, 2) == 1);
}

TEST_CASE("a constant channel has no residual variance and counts as stationary") {
  const std::vector<double> constant(100, 3.5);
  CHECK(ar::kpss_statistic(constant, ar::trend::level) == 0);
  CHECK(ar::is_stationary(as_series(constant), ar::trend::linear));
}

}  // namespace
