#include "fmsb/data/csv.hpp"                     // read_csv
#include "fmsb/data/scaling.hpp"                 // z_scored
#include "fmsb/models/ar/orders.hpp"             // fit_orders
#include "fmsb/models/ar/qr_fit.hpp"             // fit_by_qr
#include "fmsb/models/ar/score.hpp"              // score
#include "fmsb/search/auto_ar/best.hpp"          // best_search
#include "fmsb/search/auto_ar/order_search.hpp"  // order_search

#include "support/data.hpp"

#include <algorithm>  // std::max
#include <cmath>      // std::abs, std::round
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <string>     // std::string

#include "support/doctest.hpp"

namespace {

using namespace fmsb;

// z-scored, split as the released loaders do; nothing where the shared data are not there.
std::optional<data::splits> prepared(const std::string& name) {
  const auto file = test::data_file("timeseries/" + name);
  if (!file) {
    test::skip("timeseries/" + name + " is not there");
    return {};
  }
  const auto x = data::read_csv(*file, {.times = data::time_order::repeats});
  return data::z_scored(name.starts_with("ETTh")   ? data::ett_hourly(x)
                        : name.starts_with("ETTm") ? data::ett_minutely(x)
                                                   : data::by_ratio(x, .7, .1, .2));
}

ar::order_search search_of(const data::splits& parts) {
  return {parts.train, parts.validation, ar::order_space::range(1, 511, {0, 1})};
}

double four_digits(double v) { return std::round(v * 1e4) / 1e4; }

struct row {
  std::size_t horizon;
  double mse, mae;
};

TEST_CASE("511 lags of real, differenced series: the coefficients are those of an orthogonal factorisation") {
  const auto parts = prepared("ETTh1.csv");
  if (!parts) return;
  for (const int differencing : {0, 1}) {
    const auto x = ar::difference(parts->train.rows(), differencing);
    const auto ours = ar::fit_orders(ar::gram_of(ar::lag_moments::of(x, 511)), 511, differencing).at(511);
    const auto plain = ar::fit_by_qr(x, 511, differencing).fitted;
    double most = std::abs(ours.intercept - plain.intercept);
    for (std::size_t i = 0; i < 511; ++i)
      most = std::max(most, std::abs(ours.coefficients[i] - plain.coefficients[i]));
    CAPTURE(differencing);
    CHECK(most < 1e-9);
  }
}

TEST_CASE("released: the released program's own figures on ETTh1 and ETTh2 to 1e-6") {
  const auto one = prepared("ETTh1.csv"), two = prepared("ETTh2.csv");
  if (!one || !two) return;
  const auto check = [](const data::splits& parts, row expected) {
    const auto search = search_of(parts);
    const auto v = search.released(expected.horizon);
    CHECK(v.chosen.order == 192);
    CHECK(v.chosen.differencing == 1);
    const auto errors = ar::score(search.refit_released(v.chosen), parts.test, {512, expected.horizon});
    CHECK(std::abs(errors.mse - expected.mse) < 1e-6);
    CHECK(std::abs(errors.mae - expected.mae) < 1e-6);
  };
  check(*one, {96, .378196, .392667});
  check(*one, {720, .471594, .471310});
  check(*two, {96, .283540, .336895});
}

void check_table(const std::string& name, bool paper, std::initializer_list<row> rows) {
  const auto parts = prepared(name);
  if (!parts) return;
  const auto search = search_of(*parts);
  for (const auto& expected : rows) {
    CAPTURE(name);
    CAPTURE(expected.horizon);
    const auto v = paper ? search.paper(expected.horizon) : search.released(expected.horizon);
    const auto errors = ar::score(search.refit_released(v.chosen), parts->test, {512, expected.horizon});
    CHECK(four_digits(errors.mse) == doctest::Approx(expected.mse).epsilon(1e-9));
    CHECK(four_digits(errors.mae) == doctest::Approx(expected.mae).epsilon(1e-9));
  }
}

TEST_CASE("released: the other settings to four digits") {
  check_table("ETTh1.csv", false, {{192, .4276, .4209}, {336, .4681, .4442}});
  check_table("ETTh2.csv", false, {{192, .3629, .3867}, {336, .4033, .4206}, {720, .4192, .4424}});
  check_table("ETTm1.csv.gz", false,
              {{96, .3076, .3477}, {192, .3507, .3733}, {336, .3962, .4031}, {720, .4837, .4559}});
  check_table("weather.csv.gz", false,
              {{96, .2538, .2671}, {192, .4534, .3678}, {336, .8646, .5147}, {720, 2.4129, .8593}});
}

TEST_CASE("paper: lookbacks up to the context and at most one difference, to four digits") {
  check_table("ETTh1.csv", true,
              {{96, .3582, .3892}, {192, .3897, .4096}, {336, .4096, .4236}, {720, .4235, .4491}});
  check_table("ETTh2.csv", true,
              {{96, .2705, .3341}, {192, .3344, .3770}, {336, .3611, .4034}, {720, .3948, .4378}});
  check_table("ETTm1.csv.gz", true,
              {{96, .2994, .3426}, {192, .3358, .3644}, {336, .3680, .3837}, {720, .4260, .4181}});
  check_table("weather.csv.gz", true,
              {{96, .1714, .2232}, {192, .2151, .2595}, {336, .2627, .2940}, {720, .3318, .3414}});
}

TEST_CASE("recommended: no ETT setting at 96 steps is more than 1 % worse than released") {
  for (const std::string name : {"ETTh1.csv", "ETTh2.csv"}) {
    const auto parts = prepared(name);
    if (!parts) return;
    auto search = search_of(*parts);
    const auto ours = ar::score(search.refit(search.rolling(96).chosen), parts->test, {512, 96});
    const auto released =
        ar::score(search.refit_released(search.released(96).chosen), parts->test, {512, 96});
    CHECK(ours.mse <= 1.01 * released.mse);
  }
}

TEST_CASE("best: partial pooling stays within its published-protocol figures on ETTh1 and ETTh2") {
  const auto check = [](const std::string& name, std::initializer_list<row> at_most) {
    const auto parts = prepared(name);
    if (!parts) return;
    const ar::best_search search(parts->train, parts->validation, 512, {96, 720});
    ar::best_fit fit(parts->train.whole().slice(0, parts->validation.last()), 512);
    for (const auto& bound : at_most)
      CHECK(ar::score(fit(search.choose(bound.horizon)), parts->test, {512, bound.horizon}).mse <=
            1.003 * bound.mse);
  };
  check("ETTh1.csv", {{96, .3530, 0}, {720, .4203, 0}});
  check("ETTh2.csv", {{96, .2683, 0}, {720, .3931, 0}});
}

}  // namespace
