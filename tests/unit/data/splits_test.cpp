#include "fmsb/data/splits.hpp"

#include "fmsb/core/error.hpp"
#include "fmsb/data/scaling.hpp"

#include "series_support.hpp"
#include "support/property.hpp"

#include <cmath>        // std::abs
#include <type_traits>  // std::is_convertible_v

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::test::holds, fmsb::test::one_channel, fmsb::test::draw_series, fmsb::test::message_of,
    fmsb::test::kGap;

static_assert(!std::is_convertible_v<data::test_part, data::train_part>);
static_assert(!std::is_convertible_v<data::test_part, data::validation_part>);
static_assert(!std::is_constructible_v<data::validation_part, data::test_part>);

namespace {

data::series counted(std::size_t rows) {
  std::vector<double> values(rows);
  for (std::size_t t = 0; t < rows; ++t) values[t] = static_cast<double>(t);
  return one_channel(std::move(values));
}

bool in_order_and_touching(const data::splits& s) {
  return s.train.first() == 0 && s.train.last() == s.validation.first() &&
         s.validation.last() == s.test.first() && s.test.last() == s.test.whole().length();
}

}  // namespace

TEST_CASE("a split by ratio gives every row to exactly one part") {
  CHECK(holds("the parts touch, in order, and their lengths sum to the series'", [] {
    const auto n = *rc::gen::inRange<std::size_t>(20, 5000);
    const auto train = *rc::gen::inRange(10, 80);
    const auto test = *rc::gen::inRange(5, 95 - train);
    const auto s = data::by_ratio(counted(n), train / 100.0, (100 - train - test) / 100.0, test / 100.0);
    RC_ASSERT(in_order_and_touching(s));
    RC_ASSERT(s.train.length() + s.validation.length() + s.test.length() == n);
    RC_ASSERT(s.train.length() == static_cast<std::size_t>(static_cast<double>(n) * (train / 100.0)));
  }));
}

TEST_CASE("seven, one and two tenths fall as in the released loaders") {
  const auto weather = data::by_ratio(counted(52696), .7, .1, .2);
  CHECK(weather.train.length() == 36887);
  CHECK(weather.validation.length() == 5270);
  CHECK(weather.test.length() == 10539);
  CHECK(weather.name == "ratio .7,.1,.2");
  const auto illness = data::by_ratio(counted(966), .7, .1, .2);
  CHECK(illness.train.length() == 676);
  CHECK(illness.validation.length() == 97);
  CHECK(illness.test.length() == 193);
}

TEST_CASE("the transformer splits leave the tail of the file out of every part") {
  const auto hourly = data::ett_hourly(counted(17420));
  CHECK(in_order_and_touching(hourly));
  CHECK(hourly.train.length() == 8640);
  CHECK(hourly.validation.length() == 2880);
  CHECK(hourly.test.length() == 2880);
  CHECK(hourly.test.whole().length() == 14400);
  const auto minutely = data::ett_minutely(counted(69680));
  CHECK(minutely.test.first() == 46080);
  CHECK(minutely.test.length() == 11520);
  CHECK(message_of<fmsb::data_error>([] { (void)data::ett_hourly(counted(9000)); }).find("14400") ==
        std::string::npos);
  CHECK(message_of<fmsb::data_error>([] { (void)data::ett_hourly(counted(9000)); }).find("9000") !=
        std::string::npos);
}

TEST_CASE("a part knows what came before it, and how far back that reaches") {
  const auto s = data::by_rows(counted(10), 5, 2, 3);
  const auto seen = s.test.with_history(4);
  CHECK(seen.length() == 7);
  CHECK(seen.channel(0)[0] == 3);
  CHECK(s.test.rows().channel(0)[0] == 7);
  CHECK(s.test.with_history(7).length() == 10);
  CHECK(
      message_of<fmsb::usage_error>([&] { (void)s.test.with_history(8); }) ==
      "test part: 8 rows of history were asked for, but only 7 rows stand before it; use a shorter context.");
}

TEST_CASE("a split by date starts each part at its date, whether or not a row stands there") {
  const data::series s({"x"}, {0, 10, 20, 30, 40}, {0, 1, 2, 3, 4});
  const auto cut = data::by_date(s, 15, 30);
  CHECK(cut.train.length() == 2);
  CHECK(cut.validation.length() == 1);
  CHECK(cut.test.length() == 2);
  CHECK_THROWS_AS((void)data::by_date(s, 30, 15), fmsb::usage_error);
  CHECK_THROWS_AS((void)data::by_date(s, 15, 99), fmsb::usage_error);
  CHECK_THROWS_AS((void)data::by_date(counted(5), 1, 2), fmsb::usage_error);
}

TEST_CASE("shares that are not positive or do not sum to one are refused, and so are parts without rows") {
  CHECK_THROWS_AS((void)data::by_ratio(counted(100), .7, .2, .2), fmsb::usage_error);
  CHECK_THROWS_AS((void)data::by_ratio(counted(100), .8, 0, .2), fmsb::usage_error);
  CHECK_THROWS_AS((void)data::by_ratio(counted(100), kGap, .1, .2), fmsb::usage_error);
  CHECK_THROWS_AS((void)data::by_ratio(counted(3), .7, .1, .2), fmsb::data_error);
}

TEST_CASE("standardising and undoing it is the identity, and gaps stay gaps") {
  CHECK(holds("invert(apply(x)) == x", [] {
    const auto s = draw_series();
    const auto scale = data::z_score::fit(s);
    const auto back = scale.invert(scale.apply(s));
    for (std::size_t c = 0; c < s.channels(); ++c) {
      double largest = 0;
      for (const double x : s.channel(c)) largest = std::isnan(x) ? largest : std::max(largest, std::abs(x));
      for (std::size_t t = 0; t < s.length(); ++t) {
        const double x = s.channel(c)[t], y = back.channel(c)[t];
        RC_ASSERT(std::isnan(x) == std::isnan(y));
        RC_ASSERT((std::isnan(x) || std::abs(x - y) <= 1e-14 * largest));
      }
    }
  }));
}

TEST_CASE("standardised rows have mean 0 and population deviation 1") {
  const auto z = data::z_score::fit(one_channel({1, kGap, 2, 3, 6}));
  CHECK(z.mean[0] == 3);
  CHECK(z.deviation[0] == doctest::Approx(std::sqrt(14.0 / 4)));
  const auto scaled = z.apply(one_channel({1, 2, 3, 6}));
  double sum = 0, squares = 0;
  for (const double x : scaled.channel(0)) {
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum) < 1e-14);
  CHECK(squares == doctest::Approx(4));
}

TEST_CASE("a constant channel keeps deviation 1, though its number has no exact mean") {
  const auto s = one_channel(std::vector<double>(10, 0.1));
  const auto z = data::z_score::fit(s);
  CHECK(z.deviation[0] == 1);
  CHECK(z.apply(s).channel(0)[7] == 0);
  CHECK(z.invert(z.apply(s)).channel(0)[7] == 0.1);
}

TEST_CASE("a channel of gaps cannot be scaled, nor a series with another number of channels") {
  CHECK(message_of<fmsb::data_error>([] {
          (void)data::z_score::fit(one_channel({kGap, kGap}));
        }) ==
        "scaling: column \"x\" holds no number in the 2 rows that the scale is taken from; leave it out.");
  CHECK_THROWS_AS((void)data::z_score::fit(one_channel({1e300, -1e300})), fmsb::data_error);
  const data::z_score two{.mean = {0, 0}, .deviation = {1, 1}};
  CHECK_THROWS_AS((void)two.apply(one_channel({1})), fmsb::usage_error);
}

TEST_CASE("all three parts are scaled by the train rows alone") {
  const auto s = data::z_scored(data::by_rows(one_channel({0, 2, 100, -50}), 2, 1, 1));
  CHECK(s.train.rows().channel(0)[0] == -1);
  CHECK(s.train.rows().channel(0)[1] == 1);
  CHECK(s.validation.rows().channel(0)[0] == 99);
  CHECK(s.test.rows().channel(0)[0] == -51);
}
