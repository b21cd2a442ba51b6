#include "fmsb/evaluate/confusion.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::swap
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <numeric>    // std::iota
#include <utility>    // std::swap
#include <vector>     // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near;

namespace {

struct labelled {
  std::size_t classes;
  std::vector<int> truth, predicted;

  metrics::confusion counted() const {
    metrics::confusion out(classes);
    out.add(truth, predicted);
    return out;
  }
};

labelled draw(std::size_t classes, std::size_t least = 1) {
  labelled out{classes, {}, {}};
  const auto n = *rc::gen::inRange<std::size_t>(least, 40);
  const auto end = static_cast<int>(classes);
  for (std::size_t i = 0; i < n; ++i) {
    out.truth.push_back(*rc::gen::inRange(0, end));
    out.predicted.push_back(*rc::gen::inRange(0, 3) == 0 ? *rc::gen::inRange(0, end) : out.truth.back());
  }
  return out;
}

std::vector<double> all_scores(const metrics::confusion& c) {
  return {c.accuracy(), c.balanced_accuracy(), c.matthews(), c.macro_f1(), c.micro_f1()};
}

/// Pearson's correlation of all indicators of the classes together, each column about its mean.
double correlation_of_indicators(const labelled& of) {
  const auto n = static_cast<double>(of.truth.size());
  double both = 0, truths = 0, predictions = 0;
  for (std::size_t c = 0; c < of.classes; ++c) {
    double mean_t = 0, mean_p = 0;
    for (std::size_t i = 0; i < of.truth.size(); ++i) {
      mean_t += (of.truth[i] == static_cast<int>(c)) / n;
      mean_p += (of.predicted[i] == static_cast<int>(c)) / n;
    }
    for (std::size_t i = 0; i < of.truth.size(); ++i) {
      const double t = (of.truth[i] == static_cast<int>(c)) - mean_t;
      const double p = (of.predicted[i] == static_cast<int>(c)) - mean_p;
      both += t * p;
      truths += t * t;
      predictions += p * p;
    }
  }
  return truths < 1e-9 || predictions < 1e-9 ? 0 : both / std::sqrt(truths * predictions);
}

}  // namespace

TEST_CASE("confusion: the merge of two parts is the whole") {
  CHECK(holds("merge is addition", [] {
    const auto classes = *rc::gen::inRange<std::size_t>(1, 5);
    const auto a = draw(classes, 0), b = draw(classes, 0);
    auto both = a;
    both.truth.insert(both.truth.end(), b.truth.begin(), b.truth.end());
    both.predicted.insert(both.predicted.end(), b.predicted.begin(), b.predicted.end());
    auto merged = a.counted();
    merged.merge(b.counted());
    RC_ASSERT(near(all_scores(merged), all_scores(both.counted()), 0));
    for (std::size_t t = 0; t < classes; ++t)
      for (std::size_t p = 0; p < classes; ++p) RC_ASSERT(merged.count(t, p) == both.counted().count(t, p));
  }));
}

TEST_CASE("confusion: other names for the classes change no score") {
  CHECK(holds("names do not matter", [] {
    auto drawn = draw(*rc::gen::inRange<std::size_t>(1, 6));
    const auto before = all_scores(drawn.counted());
    std::vector<int> name(drawn.classes);
    std::iota(name.begin(), name.end(), 0);
    for (std::size_t i = 0; i < name.size(); ++i)
      std::swap(name[i], name[*rc::gen::inRange<std::size_t>(0, name.size())]);
    for (auto* labels : {&drawn.truth, &drawn.predicted})
      for (int& l : *labels) l = name[static_cast<std::size_t>(l)];
    RC_ASSERT(near(all_scores(drawn.counted()), before));
  }));
}

TEST_CASE("confusion: Matthews correlation is the correlation of indicators, whichever is called the truth") {
  CHECK(holds("Gorodkin's R_K", [] {
    auto drawn = draw(*rc::gen::inRange<std::size_t>(1, 6));
    const double found = drawn.counted().matthews();
    RC_ASSERT(found >= -1);
    RC_ASSERT(found <= 1);
    RC_ASSERT(near(found, correlation_of_indicators(drawn), 1e-9));
    std::swap(drawn.truth, drawn.predicted);
    RC_ASSERT(near(drawn.counted().matthews(), found));
  }));
}

TEST_CASE("confusion: scores of two classes by hand") {
  metrics::confusion c(2);  // 3 found, 1 missed; 2 false alarms, 4 rightly left out
  c.add(std::vector<int>{1, 1, 1, 1, 0, 0, 0, 0, 0, 0}, std::vector<int>{1, 1, 1, 0, 1, 1, 0, 0, 0, 0});
  CHECK(c.total() == 10);
  CHECK(c.count(1, 0) == 1);
  CHECK(c.actual(0) == 6);
  CHECK(c.predicted(1) == 5);
  CHECK(c.accuracy() == doctest::Approx(.7));
  CHECK(c.micro_f1() == doctest::Approx(.7));
  CHECK(c.precision(1) == doctest::Approx(.6));
  CHECK(c.recall(1) == doctest::Approx(.75));
  CHECK(c.f1(1) == doctest::Approx(2 / 3.0));
  CHECK(c.f1(0) == doctest::Approx(8 / 11.0));
  CHECK(c.macro_f1() == doctest::Approx((2 / 3.0 + 8 / 11.0) / 2));
  CHECK(c.balanced_accuracy() == doctest::Approx((.75 + 4 / 6.0) / 2));
  CHECK(c.matthews() == doctest::Approx((3 * 4 - 2 * 1) / std::sqrt(5.0 * 4 * 6 * 5)));
}

TEST_CASE("confusion: all right is 1, all wrong of two classes is -1") {
  const std::vector<int> zeros_and_ones{0, 1, 1, 0, 1}, swapped{1, 0, 0, 1, 0};
  metrics::confusion right(2), wrong(2);
  right.add(zeros_and_ones, zeros_and_ones);
  wrong.add(zeros_and_ones, swapped);
  for (const double score : all_scores(right)) CHECK(score == doctest::Approx(1));
  CHECK(wrong.matthews() == doctest::Approx(-1));
  CHECK(wrong.accuracy() == 0);
}

TEST_CASE("confusion: what is undefined is as scikit-learn has it") {
  metrics::confusion one(3);  // one class came, and was found twice of three times
  one.add(std::vector<int>{1, 1, 1}, std::vector<int>{1, 1, 2});
  CHECK(one.matthews() == 0);
  CHECK(one.balanced_accuracy() == doctest::Approx(2 / 3.0));
  CHECK(one.recall(2) == 0);
  CHECK(one.precision(0) == 0);
  CHECK(one.f1(0) == 0);
  CHECK(one.macro_f1() == doctest::Approx(.8 / 2));  // class 0 neither came nor was predicted
  metrics::confusion same(2);
  same.add(std::vector<int>{0, 1, 0}, std::vector<int>{0, 0, 0});
  CHECK(same.matthews() == 0);
  for (const double score : all_scores(metrics::confusion(2))) CHECK(std::isnan(score));
}

TEST_CASE("confusion: labels that are no classes and counts that differ are refused") {
  metrics::confusion c(2);
  CHECK_THROWS_AS(c.add(2, 0), fmsb::usage_error);
  CHECK_THROWS_AS(c.add(0, -1), fmsb::usage_error);
  CHECK_THROWS_AS(c.add(std::vector<int>{0, 1}, std::vector<int>{0}), fmsb::usage_error);
  CHECK_THROWS_AS(c.merge(metrics::confusion(3)), fmsb::usage_error);
  CHECK_THROWS_AS(metrics::confusion(0), fmsb::usage_error);
}
