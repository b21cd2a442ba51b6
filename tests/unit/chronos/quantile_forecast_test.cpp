#include "fmsb/models/chronos/quantile_forecast.hpp"  // forecast_quantiles, quantiles_at

#include "fmsb/models/chronos/instance_norm.hpp"    // instance_norm
#include "fmsb/models/chronos/patches.hpp"          // in_patches
#include "fmsb/models/chronos/pinball.hpp"          // pinball
#include "fmsb/models/chronos/quantile_levels.hpp"  // quantile_levels

#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // normals, spans_of, kGap

#include <ATen/ops/allclose.h>  // at::allclose
#include <ATen/ops/equal.h>     // at::equal

#include <cmath>    // std::isnan, std::sqrt
#include <numeric>  // std::iota

#include "support/doctest.hpp"

using namespace fmsb;
using chronos::quantile_levels;
using test::kGap, test::message_of, test::normals, test::spans_of;

static_assert(quantile_levels{.1, .5, .9}.size() == 3 && quantile_levels{.1, .5, .9}.sound());
static_assert(!quantile_levels{}.sound() && !quantile_levels{.5, .5}.sound() &&
              !quantile_levels{.5, .1}.sound());
static_assert(!quantile_levels{0., .5}.sound() && !quantile_levels{.5, 1.}.sound());
static_assert(quantile_levels{.1, .5} == quantile_levels{.1, .5} &&
              quantile_levels{.1} != quantile_levels{.1, .5});

namespace {

/// Goes on from a series' last value by a step for each quantile: every answer is told by arithmetic.
struct steps_up {
  static constexpr quantile_levels quantiles{.25, .5, .75};
  static constexpr index_t context_length = 6, prediction_length = 2;
  bool training = false;
  mutable std::vector<std::vector<index_t>> seen{};  ///< shapes of what it was given

  bool is_training() const { return training; }
  tensor predict(const tensor& x, index_t steps) const {
    seen.push_back(x.sizes().vec());
    const auto up = at::tensor({-1.F, 0.F, 1.F}).view({1, 3, 1});
    const auto ahead = at::arange(1, steps + 1).to(at::kFloat).view({1, 1, -1});
    return x.select(1, x.size(1) - 1).view({-1, 1, 1}) + up * ahead;
  }
};

/// The same with one path, the median's, whose forecast is taken as it is.
struct along_the_median : steps_up {
  static constexpr quantile_levels path_levels{.5};
  static tensor pooled(const tensor& paths) { return paths.squeeze(1); }
};
static_assert(chronos::quantile_model<steps_up> && chronos::quantile_model<along_the_median>);

/// A [rows, columns] float tensor.
tensor floats(const std::vector<std::vector<double>>& rows) {
  return chronos::context_rows(spans_of(rows), 1000);
}

/// A quantile as NumPy defines it, from sorted values.
double quantile_of(std::vector<double> values, double level) {
  std::sort(values.begin(), values.end());
  const double place = level * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

TEST_CASE("context_rows aligns series at their ends, with gaps in front") {
  const std::vector<std::vector<double>> rows{{1, 2, 3, 4, 5}, {6, kGap}, {7}};
  const auto x = chronos::context_rows(spans_of(rows), 4);
  CHECK(x.sizes() == at::IntArrayRef{3, 4});
  CHECK(x[0].equal(at::tensor({2.F, 3.F, 4.F, 5.F})));
  CHECK(
      x.isnan().to(at::kLong).sum(1).equal(at::tensor({std::int64_t{0}, std::int64_t{3}, std::int64_t{3}})));
  CHECK(x[1][2].item<float>() == 6);
  CHECK(x[2][3].item<float>() == 7);
  CHECK(message_of<usage_error>([&] { chronos::context_rows({}, 4); }) ==
        "fmsb::chronos::context_rows: there are no series to encode.");
  const std::vector<std::vector<double>> infinite{{1}, {2, 1e300}};
  CHECK(message_of<data_error>([&] { chronos::context_rows(spans_of(infinite), 4, 10); }) ==
        "fmsb::chronos::context_rows: series 11 holds 1e+300 at position 1 of what is read; values are "
        "finite in "
        "float32, or gaps (NaN).");
}

TEST_CASE("instance_norm gives every series mean 0 and deviation 1 over what is no gap, and takes it back") {
  CHECK(test::holds("moments and inverse", [] {
    const auto count = *rc::gen::inRange<std::size_t>(2, 40);
    auto values = normals(*rc::gen::arbitrary<std::uint64_t>(), count);
    const auto scale = *rc::gen::element(1e-3, 1.0, 1e4);
    for (double& x : values) x = 5 * scale + scale * x;
    for (std::size_t t = 1; t < count; t += 3) values[t] = kGap;
    const auto x = floats({values}).to(at::kDouble);
    const auto norm = chronos::instance_norm<>::fit(x);
    const auto z = norm.apply(x);
    const auto known = z.isnan().logical_not();
    RC_ASSERT(known.equal(x.isnan().logical_not()));
    const auto kept = z.masked_select(known);
    if (kept.numel() < 2) return;
    RC_ASSERT(std::fabs(kept.mean().item<double>()) < 1e-9);
    RC_ASSERT(std::fabs(kept.square().mean().item<double>() - 1) < 1e-9);
    RC_ASSERT(at::allclose(norm.invert(z).masked_select(known), x.masked_select(known), 1e-9, 0));

    const auto squashed = chronos::instance_norm<chronos::squash::arcsinh>::fit(x);
    RC_ASSERT(at::allclose(squashed.apply(x).masked_select(known), kept.arcsinh(), 1e-12, 1e-12));
    RC_ASSERT(at::allclose(squashed.invert(squashed.apply(x)).masked_select(known), x.masked_select(known),
                           1e-9, 0));
  }));
}

TEST_CASE("instance_norm knows series without anything to scale by") {
  const auto norm = chronos::instance_norm<>::fit(floats({{kGap, kGap}, {3, 3}, {kGap, 8}}));
  CHECK(norm.mean.equal(at::tensor({0.F, 3.F, 8.F}).view({3, 1})));
  CHECK(norm.deviation.equal(at::tensor({1.F, 1e-5F, 1e-5F}).view({3, 1})));
  CHECK(norm.apply(at::ones({3, 2, 4})).sizes() == at::IntArrayRef{3, 2, 4});
  CHECK((norm.apply(at::ones({3, 2}).to(at::kHalf)).scalar_type() == at::kHalf));
  CHECK_THROWS_AS(chronos::instance_norm<>::fit(at::ones({3})), usage_error);
}

TEST_CASE("patches cover a series from its end, and know what is a gap") {
  const auto cut = chronos::in_patches(floats({{1, 2, kGap, 4, 5}, {kGap, kGap, kGap, kGap, 9}}), 3, 3);
  CHECK(cut.count() == 2);
  CHECK(cut.values.equal(
      at::tensor({0.F, 1.F, 2.F, 0.F, 4.F, 5.F, 0.F, 0.F, 0.F, 0.F, 0.F, 9.F}).view({2, 2, 3})));
  CHECK(cut.known.equal(
      at::tensor({0.F, 1.F, 1.F, 0.F, 1.F, 1.F, 0.F, 0.F, 0.F, 0.F, 0.F, 1.F}).view({2, 2, 3})));
  CHECK(cut.seen.equal(at::tensor({1, 1, 0, 1}).view({2, 2}).to(at::kBool)));
  CHECK(chronos::in_patches(floats({{1, 2, 3, 4, 5, 6}}), 4, 2)
            .values.equal(
                at::tensor({0.F, 0.F, 1.F, 2.F, 1.F, 2.F, 3.F, 4.F, 3.F, 4.F, 5.F, 6.F}).view({1, 3, 4})));
  CHECK(chronos::in_patches(floats({{1, 2, 3}}), 3, 3).count() == 1);
  CHECK_THROWS_WITH_AS(
      chronos::in_patches(at::ones({4}), 3, 3),
      "fmsb::chronos::in_patches was given a tensor of shape [4] and patches of 3 values every 3; it "
      "takes [series, T] and sizes of 1 at least.",
      usage_error);
}

TEST_CASE("pinball is twice the loss from its definition, and 0 at gaps") {
  const std::vector<double> levels{.1, .5, .8};
  const auto predicted = floats({normals(1, 12), normals(2, 12)}).view({2, 3, 4});
  auto target = floats({normals(3, 4), normals(4, 4)});
  target[1][2] = kGap;
  const auto loss = chronos::pinball(predicted, target, levels);
  for (index_t s = 0; s < 2; ++s)
    for (index_t l = 0; l < 3; ++l)
      for (index_t t = 0; t < 4; ++t) {
        const double y = target[s][t].item<double>(), q = predicted[s][l][t].item<double>();
        const double level = levels[static_cast<std::size_t>(l)];
        const double expected = std::isnan(y) ? 0 : 2 * (y > q ? level * (y - q) : (1 - level) * (q - y));
        CHECK(loss[s][l][t].item<double>() == doctest::Approx(expected).epsilon(1e-6));
      }
}

TEST_CASE("quantiles_at picks a forecast's own levels and goes straight between them") {
  const auto forecast = floats({{1, 2, 3, 5, 7, 9}}).view({1, 3, 2});  // levels .1, .5, .9; two steps
  const std::vector<double> own{.1, .5, .9};
  CHECK(chronos::quantiles_at(forecast, own, own).equal(forecast));
  CHECK(chronos::quantiles_at(forecast, own, std::vector{.9, .1})
            .equal(floats({{7, 9, 1, 2}}).view({1, 2, 2})));
  const auto between = chronos::quantiles_at(forecast, own, std::vector{0., .2, .7, 1.});
  CHECK(at::allclose(between, floats({{1, 2, 1.5, 2.75, 5, 7, 7, 9}}).view({1, 4, 2}), 1e-6, 0));
  CHECK(message_of<usage_error>([&] { chronos::quantiles_at(forecast, own, std::vector{1.5}); }) ==
        "fmsb::chronos::quantiles_at: the level 1.5 does not lie between 0 and 1; the middle is .5.");
  CHECK_THROWS_AS(chronos::quantiles_at(forecast, std::vector{.1}, own), usage_error);
}

TEST_CASE("a long horizon goes on from every quantile, and pools what follows") {
  const std::vector<std::vector<double>> pasts{{1, 2, 3}, {1, 1, 1, 1, 1, 1, 1, 10}};
  const steps_up model;
  const auto y = chronos::forecast_quantiles(model, spans_of(pasts), {.horizon = 5});
  REQUIRE(y.sizes() == at::IntArrayRef{2, 3, 5});
  for (index_t s = 0; s < 2; ++s) {
    std::vector<double> ends(3, pasts[static_cast<std::size_t>(s)].back());  // last value of each path
    for (index_t done = 0; done < 5; done += 2) {
      std::vector<double> next;
      for (index_t l = 0; l < 3; ++l)
        for (index_t t = done; t < std::min<index_t>(done + 2, 5); ++t) {
          std::vector<double> all;
          for (const double end : ends)
            for (const double up : {-1., 0., 1.}) all.push_back(end + up * static_cast<double>(t - done + 1));
          const double expected = done == 0 ? ends[0] + static_cast<double>((l - 1) * (t + 1))
                                            : quantile_of(all, .25 * static_cast<double>(l + 1));
          CHECK(y[s][l][t].item<double>() == doctest::Approx(expected));
          if (t == done + 1) next.push_back(expected);
        }
      if (next.size() == 3) ends = next;
    }
  }
  // The past is cut to what the model reads, in front and on the way.
  CHECK(model.seen == std::vector<std::vector<index_t>>{{2, 6}, {6, 6}, {6, 6}});

  const auto median = chronos::forecast_quantiles(along_the_median{}, spans_of(pasts), {.horizon = 4});
  CHECK(median[1].equal(floats({{9, 8, 9, 8, 10, 10, 10, 10, 11, 12, 11, 12}}).view({3, 4})));
}

TEST_CASE("a series' quantiles do not depend on those beside it") {
  std::vector<std::vector<double>> pasts;
  for (std::uint64_t i = 0; i < 7; ++i) pasts.push_back(normals(i, 1 + i));
  const steps_up model;
  std::vector<std::size_t> advanced;
  const auto together =
      chronos::forecast_quantiles(model, spans_of(pasts), {.horizon = 3, .series_at_once = 7});
  const auto apart = chronos::forecast_quantiles(
      model, spans_of(pasts),
      {.horizon = 3, .series_at_once = 3, .advanced = [&](std::size_t n) { advanced.push_back(n); }});
  CHECK(together.equal(apart));
  CHECK(advanced == std::vector<std::size_t>{3, 3, 1});
  CHECK(chronos::forecast_quantiles(model, spans_of(pasts)).size(2) == 2);
}

TEST_CASE("forecast_quantiles says what it cannot do") {
  const std::vector<std::vector<double>> pasts{{1, 2}};
  const auto complaint = [&](const steps_up& model, const chronos::quantile_forecast_options& options) {
    return message_of<usage_error>([&] { chronos::forecast_quantiles(model, spans_of(pasts), options); });
  };
  CHECK(complaint({}, {.horizon = 0}) ==
        "fmsb::chronos::forecast_quantiles: a horizon of 0 was asked for, 0 series at once; a horizon is 1 "
        "at least.");
  CHECK(complaint({}, {.horizon = 3, .limit_prediction_length = true}) ==
        "fmsb::chronos::forecast_quantiles: the horizon 3 lies beyond the model's prediction length, 2, "
        "where its "
        "quality may fall; turn off limit_prediction_length to go on from the quantiles.");
  CHECK(complaint({.training = true}, {}).find("call its eval() first") != std::string::npos);
  CHECK(message_of<usage_error>([&] { chronos::forecast_quantiles(steps_up{}, {}); }) ==
        "fmsb::chronos::forecast_quantiles: there are no series to encode.");
}
