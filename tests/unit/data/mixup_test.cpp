#include "fmsb/data/mixup.hpp"  // mixup, draw_normal, draw_gamma

#include "support/property.hpp"          // holds
#include "unit/data/series_support.hpp"  // message_of, one_channel, same_values, kGap

#include <array>  // std::array

#include "support/doctest.hpp"

using namespace fmsb;
using data::mixup;
using test::message_of, test::one_channel;

namespace {

/// Mean and variance of what `draw` gives.
template <class Draw>
std::array<double, 2> moments(Draw draw) {
  constexpr int n = 200'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  return {sum / n, squares / n - sum / n * sum / n};
}

std::vector<data::series> some_series() {
  std::vector<data::series> from;
  random_bits bits(1);
  for (const std::size_t rows : {40u, 90u, 7u, 60u}) {
    std::vector<double> values(2 * rows);
    for (double& x : values) x = 5 * data::draw_normal(bits) + 20;
    from.emplace_back(std::vector<std::string>{"a", "b"}, std::vector<data::timestamp>{}, values);
  }
  return from;
}

}  // namespace

TEST_CASE("normal and gamma draws have their means and variances") {
  random_bits bits(3);
  const auto [mean, variance] = moments([&] { return data::draw_normal(bits); });
  CHECK(std::abs(mean) < 0.01);  // four standard errors
  CHECK(std::abs(variance - 1) < 0.015);
  for (const double shape : {0.3, 1.0, 1.5, 20.0}) {
    const auto [m, v] = moments([&] { return data::draw_gamma(bits, shape); });
    CHECK(std::abs(m - shape) < 0.01 * std::sqrt(shape) + 1e-4);
    CHECK(std::abs(v - shape) < 0.01 * std::sqrt(2 * shape * shape + 6 * shape));
  }
}

TEST_CASE("draws are the same in constant expressions, under every compiler") {
  constexpr double at_compile_time = [] {
    random_bits bits(7, 3);
    return data::draw_normal(bits) + data::draw_gamma(bits, 1.5) + data::draw_gamma(bits, 0.5);
  }();
  volatile std::uint64_t seed = 7;
  random_bits bits(seed, 3);
  const double normal = data::draw_normal(bits), above = data::draw_gamma(bits, 1.5);
  CHECK(normal + above + data::draw_gamma(bits, 0.5) == at_compile_time);
}

TEST_CASE("a number below n is one of them, and all of them come") {
  random_bits bits(2);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen.at(data::draw_below(bits, 7));
  for (const int count : seen) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("a mixture is the weighted sum of its parts, each divided by its mean absolute value") {
  const auto from = some_series();
  const mixup mix(from, {.shortest = 8, .longest = 50, .seed = 4});
  CHECK(test::holds("mixture", [&] {
    const auto number = *rc::gen::inRange<std::uint64_t>(0, 100'000);
    const auto plan = mix.plan(number);
    const auto got = mix.draw(number);
    RC_ASSERT(got.length() == plan.length);
    RC_ASSERT(plan.length >= 8u);
    RC_ASSERT(plan.length <= 50u);
    double weights = 0;
    std::vector<double> expected(plan.length, 0.0);
    for (const auto& p : plan.parts) {
      weights += p.weight;
      RC_ASSERT(p.weight > 0);
      const auto stretch = from[p.series].slice(p.first, p.first + plan.length).channel(p.channel);
      double scale = 0;
      for (const double x : stretch) scale += std::abs(x) / static_cast<double>(plan.length);
      for (std::size_t t = 0; t < plan.length; ++t) expected[t] += p.weight * stretch[t] / scale;
    }
    RC_ASSERT(std::abs(weights - 1) < 1e-12);
    for (std::size_t t = 0; t < plan.length; ++t)
      RC_ASSERT(std::abs(got.channel(0)[t] - expected[t]) < 1e-12);
  }));
}

TEST_CASE("how many parts, and which series, is equally likely, too short ones are left out") {
  const mixup mix(some_series(), {.shortest = 8, .longest = 30});
  std::array<int, 4> parts{}, series{};
  int all = 0;
  std::array<double, 2> weights{};  // of pairs: sums of w and w^2
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    const auto plan = mix.plan(i);
    ++parts.at(plan.parts.size());
    for (const auto& p : plan.parts) {
      ++series.at(p.series);
      ++all;
    }
    if (plan.parts.size() == 2) {
      weights[0] += plan.parts[0].weight;
      weights[1] += plan.parts[0].weight * plan.parts[0].weight;
    }
  }
  CHECK(parts[0] == 0);
  for (int k = 1; k <= 3; ++k) CHECK(std::abs(parts[static_cast<std::size_t>(k)] - 10'000) < 330);
  CHECK(series[2] == 0);  // 7 rows
  for (const std::size_t s : {0u, 1u, 3u}) CHECK(std::abs(series[s] / double(all) - 1.0 / 3) < 0.01);
  const double mean = weights[0] / parts[2], variance = weights[1] / parts[2] - mean * mean;
  CHECK(std::abs(mean - 0.5) < 0.012);
  CHECK(std::abs(variance - 1.0 / 16) < 0.004);  // Beta(1.5, 1.5)
}

TEST_CASE("a gap of a part is a gap of the mixture, and a part without values counts nothing") {
  std::vector<double> values(20, 2.0);
  values[3] = test::kGap;
  const mixup mix({one_channel(values)}, {.most = 2, .shortest = 20, .longest = 20});
  const auto got = mix.draw(5);
  for (std::size_t t = 0; t < 20; ++t) CHECK(std::isnan(got.channel(0)[t]) == (t == 3));
  CHECK(got.channel(0)[0] == doctest::Approx(1));
  const mixup zeros({one_channel(std::vector<double>(9, 0.0))}, {.shortest = 9, .longest = 9});
  CHECK(test::same_values(zeros.draw(0).channel(0), std::vector<double>(9, 0.0)));
}

TEST_CASE("mixup says what it cannot do") {
  const auto refused = [](const data::mixup_options& o) {
    return message_of<usage_error>([&] { mixup({one_channel(std::vector<double>(30, 1.0))}, o); });
  };
  CHECK(refused({.shortest = 31, .longest = 40}).find("none of the 1 series has 31 rows") !=
        std::string::npos);
  CHECK(refused({.most = 0, .shortest = 3}).find("up to 0 series") != std::string::npos);
  CHECK(refused({.shortest = 5, .longest = 4}).find("length 5 to 4") != std::string::npos);
  CHECK(refused({.concentration = 0, .shortest = 3}).find("concentration 0") != std::string::npos);
  CHECK(refused({.shortest = 3}).empty());
}
