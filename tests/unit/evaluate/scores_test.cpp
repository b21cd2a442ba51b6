#include "fmsb/evaluate/scores.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <array>   // std::array
#include <vector>  // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::draw_numbers;

TEST_CASE("a row of figures keeps its order and says what it holds") {
  metrics::scores row{{"mse", 2}, {"dtw", 3}};
  row.set("mape", .5);
  CHECK(row["dtw"] == 3);
  CHECK(row.begin()->first == "mse");
  CHECK(row.size() == 3);
  CHECK(row.contains("mape"));
  CHECK_THROWS_AS(row.set("mse", 1), fmsb::usage_error);
  CHECK_THROWS_WITH_AS((void)row["wql"], "scores: there is no \"wql\"; there are mse, dtw, mape.",
                       fmsb::usage_error);
}

TEST_CASE("runs are told by mean and sample deviation, whole or merged") {
  CHECK(holds("spread by its definition", [] {
    const auto values = draw_numbers(*rc::gen::inRange<std::size_t>(1, 12));
    const auto cut = *rc::gen::inRange<std::size_t>(0, values.size() + 1);
    metrics::repeated_scores first, second;
    for (std::size_t i = 0; i < values.size(); ++i)
      (i < cut ? first : second).add({{"mse", values[i]}, {"n", 1}});
    first.merge(second);
    const auto found = first.of("mse");
    const double mean = fmsb::test::mean_of(values), n = static_cast<double>(values.size());
    double squares = 0;
    for (const double x : values) squares += (x - mean) * (x - mean);
    RC_ASSERT(found.count == values.size());
    RC_ASSERT(near(found.mean, mean));
    RC_ASSERT(near(found.deviation, values.size() > 1 ? std::sqrt(squares / (n - 1)) : fmsb::test::kGap));
    RC_ASSERT(first.runs() == values.size());
  }));
}

TEST_CASE("a run that failed is not lost in the mean, and runs scored otherwise are refused") {
  metrics::repeated_scores runs;
  runs.add({{"mse", 1}});
  runs.add({{"mse", fmsb::test::kGap}});
  CHECK(std::isnan(runs.of("mse").mean));
  CHECK_THROWS_AS(runs.add({{"mae", 1}}), fmsb::usage_error);
  CHECK_THROWS_AS(runs.add({{"mse", 1}, {"mae", 1}}), fmsb::usage_error);
  CHECK_THROWS_AS(runs.add({}), fmsb::usage_error);
  CHECK(runs.runs() == 2);
  CHECK(runs.names() == std::vector<std::string>{"mse"});
  CHECK(metrics::spread_of(std::vector<float>{}).count == 0);
}

TEST_CASE("relative scores rank two models alike whatever they are divided by") {
  CHECK(holds("geometric means of ratios", [] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 9);
    std::array<std::vector<double>, 4> s;
    for (auto& one : s)
      for (std::size_t i = 0; i < n; ++i) one.push_back(*rc::gen::inRange(1, 1000) / 10.0);
    const double direct = metrics::relative_score(s[0], s[1]);
    RC_ASSERT(near(direct, metrics::relative_score(s[0], s[2]) / metrics::relative_score(s[1], s[2])));
    RC_ASSERT(near(direct, metrics::relative_score(s[0], s[3]) / metrics::relative_score(s[1], s[3])));
    RC_ASSERT(near(direct * metrics::relative_score(s[1], s[0]), 1));
  }));
  CHECK(metrics::geometric_mean(std::array{1.0, 4.0}) == doctest::Approx(2));
  CHECK(metrics::relative_score(std::array{1.0F, 8.0F}, std::array{2.0, 4.0}) == doctest::Approx(1));
}

TEST_CASE("what has no geometric mean is refused") {
  CHECK_THROWS_AS((void)metrics::geometric_mean(std::vector<double>{}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::geometric_mean(std::array{1.0, 0.0}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::geometric_mean(std::array{1.0, fmsb::test::kGap}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::relative_score(std::array{1.0}, std::array{1.0, 2.0}), fmsb::usage_error);
}
