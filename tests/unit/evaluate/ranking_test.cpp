#include "fmsb/evaluate/ranking.hpp"

#include "fmsb/core/error.hpp"
#include "fmsb/evaluate/log_loss.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <array>    // std::array
#include <cmath>    // std::exp, std::isnan, std::log
#include <cstddef>  // std::size_t
#include <vector>   // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::kGap;

namespace {

struct ranked {
  std::vector<double> scores;
  std::vector<int> truth;
};

/// Few distinct scores, so that many tie.
ranked draw(std::size_t least = 0) {
  ranked out;
  const auto n = *rc::gen::inRange<std::size_t>(least, 30);
  for (std::size_t i = 0; i < n; ++i) {
    out.scores.push_back(*rc::gen::inRange(-6, 7) / 4.0);
    out.truth.push_back(*rc::gen::inRange(0, 2));
  }
  return out;
}

double plain_auroc(const ranked& of) {
  double above = 0, pairs = 0;
  for (std::size_t i = 0; i < of.truth.size(); ++i)
    for (std::size_t j = 0; j < of.truth.size(); ++j) {
      if (of.truth[i] != 1 || of.truth[j] != 0) continue;
      ++pairs;
      above += of.scores[i] > of.scores[j] ? 1 : of.scores[i] == of.scores[j] ? .5 : 0;
    }
  return above / pairs;
}

/// The mean over the positives of the precision among all that score as high.
double plain_average_precision(const ranked& of) {
  double sum = 0, positives = 0;
  for (std::size_t i = 0; i < of.truth.size(); ++i) {
    if (of.truth[i] != 1) continue;
    double right = 0, all = 0;
    for (std::size_t j = 0; j < of.truth.size(); ++j) {
      if (of.scores[j] < of.scores[i]) continue;
      right += of.truth[j];
      ++all;
    }
    sum += right / all;
    ++positives;
  }
  return sum / positives;
}

}  // namespace

TEST_CASE("ranking: AUROC and average precision are what all pairs say") {
  CHECK(holds("by their definitions", [] {
    const auto drawn = draw();
    RC_ASSERT(near(metrics::auroc(drawn.scores, drawn.truth), plain_auroc(drawn)));
    RC_ASSERT(near(metrics::average_precision(drawn.scores, drawn.truth), plain_average_precision(drawn)));
  }));
}

TEST_CASE("ranking: reversed scores have 1 - AUROC, and an ascending function changes nothing") {
  CHECK(holds("order alone counts", [] {
    auto drawn = draw();
    const double area = metrics::auroc(drawn.scores, drawn.truth);
    const double precision = metrics::average_precision(drawn.scores, drawn.truth);
    auto other = drawn;
    for (double& s : other.scores) s = std::exp(s);
    RC_ASSERT(near(metrics::auroc(other.scores, other.truth), area));
    RC_ASSERT(near(metrics::average_precision(other.scores, other.truth), precision));
    for (double& s : drawn.scores) s = -s;
    RC_ASSERT(near(metrics::auroc(drawn.scores, drawn.truth), 1 - area));
  }));
}

TEST_CASE("ranking: the means over classes are those of each class, classes of one kind left out") {
  CHECK(holds("one against the rest", [] {
    const auto classes = *rc::gen::inRange<std::size_t>(1, 5), n = *rc::gen::inRange<std::size_t>(0, 20);
    std::vector<float> scores;
    std::vector<int> labels;
    for (std::size_t i = 0; i < n; ++i) {
      labels.push_back(*rc::gen::inRange(0, static_cast<int>(classes)));
      for (std::size_t c = 0; c < classes; ++c) scores.push_back(static_cast<float>(*rc::gen::inRange(0, 9)));
    }
    const auto truth = metrics::one_vs_rest(labels, classes);
    std::vector<double> areas, precisions;
    for (std::size_t c = 0; c < classes; ++c) {
      ranked one;
      for (std::size_t i = 0; i < n; ++i) {
        one.scores.push_back(static_cast<double>(scores[i * classes + c]));
        one.truth.push_back(labels[i] == static_cast<int>(c));
      }
      if (!std::isnan(plain_auroc(one))) areas.push_back(plain_auroc(one));
      if (!std::isnan(plain_average_precision(one))) precisions.push_back(plain_average_precision(one));
    }
    RC_ASSERT(near(metrics::mean_auroc(scores, truth, classes), fmsb::test::mean_of(areas)));
    RC_ASSERT(near(metrics::mean_average_precision(scores, truth, classes), fmsb::test::mean_of(precisions)));
  }));
}

TEST_CASE("ranking: values by hand") {
  const std::vector<double> scores{.1, .4, .35, .8};
  const std::vector<int> truth{0, 0, 1, 1};
  CHECK(metrics::auroc(scores, truth) == .75);
  CHECK(metrics::average_precision(scores, truth) == doctest::Approx((1 + 2 / 3.0) / 2));
  CHECK(metrics::auroc(std::vector<double>(4, 1.0), truth) == .5);
  CHECK(metrics::average_precision(std::vector<double>(4, 1.0), truth) == .5);
}

TEST_CASE("ranking: without both kinds there is nothing to rank, and what is no score or truth is refused") {
  const std::vector<double> two{1, 2};
  CHECK(std::isnan(metrics::auroc(two, std::vector<int>{1, 1})));
  CHECK(std::isnan(metrics::auroc(two, std::vector<int>{0, 0})));
  CHECK(metrics::average_precision(two, std::vector<int>{1, 1}) == 1);
  CHECK(std::isnan(metrics::average_precision(two, std::vector<int>{0, 0})));
  CHECK_THROWS_AS((void)metrics::auroc(two, std::vector<int>{1}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::auroc(two, std::vector<int>{1, 2}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::auroc(std::array{1.0, kGap}, std::vector<int>{1, 0}), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::mean_auroc(two, std::vector<int>{1, 0}, 0), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::mean_auroc(std::array{1.0, 2.0, 3.0}, std::vector<int>{1, 0, 1}, 2),
                  fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::one_vs_rest(std::vector<int>{0, 2}, 2), fmsb::usage_error);
}

TEST_CASE("log_loss: the mean of -ln p, merged by addition, least where the truth is certain") {
  CHECK(holds("cross-entropy by its definition", [] {
    const auto classes = *rc::gen::inRange<std::size_t>(1, 5), n = *rc::gen::inRange<std::size_t>(0, 12);
    std::vector<double> probabilities, terms;
    std::vector<int> truth;
    metrics::log_loss_accumulator first, second;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> p(classes);
      double sum = 0;
      for (double& x : p) sum += x = *rc::gen::inRange(1, 100);
      for (double& x : p) x /= sum;
      truth.push_back(*rc::gen::inRange(0, static_cast<int>(classes)));
      terms.push_back(-std::log(p[static_cast<std::size_t>(truth.back())]));
      probabilities.insert(probabilities.end(), p.begin(), p.end());
      (i % 2 == 0 ? first : second).add(p, truth.back());
    }
    first.merge(second);
    RC_ASSERT(first.count() == n);
    RC_ASSERT(near(first.mean(), fmsb::test::mean_of(terms)));
    RC_ASSERT(near(metrics::log_loss(probabilities, truth, classes), fmsb::test::mean_of(terms)));
  }));
  CHECK(metrics::log_loss(std::array{1.0F, 0.0F}, std::vector<int>{0}, 2) == 0);
  CHECK(metrics::log_loss(std::array{1.0, 0.0}, std::vector<int>{1}, 2) ==
        doctest::Approx(52 * std::log(2.0)));
}

TEST_CASE("log_loss: scores that are no probabilities are refused") {
  metrics::log_loss_accumulator loss;
  CHECK_THROWS_AS(loss.add(std::array{1.5, -.5}, 0), fmsb::usage_error);
  CHECK_THROWS_AS(loss.add(std::array{.5, .2}, 0), fmsb::usage_error);
  CHECK_THROWS_AS(loss.add(std::array{kGap, .2}, 0), fmsb::usage_error);
  CHECK_THROWS_AS(loss.add(std::array{.5, .5}, 2), fmsb::usage_error);
  CHECK_THROWS_AS((void)metrics::log_loss(std::array{.5, .5}, std::vector<int>{0}, 3), fmsb::usage_error);
}
