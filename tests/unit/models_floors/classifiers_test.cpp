#include "fmsb/models/floors/logistic_regression.hpp"
#include "fmsb/models/floors/nearest_neighbour.hpp"

#include "floors_support.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::max_element, std::sort
#include <cmath>      // std::exp, std::log, std::sqrt
#include <cstddef>    // std::size_t
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::holds, test::largest;

namespace {

test::drawn_examples draw(std::size_t least = 3) {
  return {*rc::gen::inRange<std::size_t>(least, 30), *rc::gen::inRange<std::size_t>(1, 8),
          *rc::gen::inRange<std::size_t>(2, 4)};
}

}  // namespace

TEST_CASE("logistic_regression: at the end every derivative of the objective is all but 0") {
  CHECK(holds("stationary", [] {
    const auto drawn = draw();
    const double l2 = *rc::gen::inRange(1, 100) / 100.0;
    models::logistic_regression model({.l2 = l2, .tolerance = 1e-12});
    model.fit(drawn.features, drawn.labels, drawn.classes);
    auto x = drawn.features.clone();
    models::standardise(x);
    const auto p = model.probabilities(drawn.features);
    RC_ASSERT(largest(p.sum(1) - 1) < 1e-12);
    auto excess = p.clone();
    for (std::size_t i = 0; i < drawn.labels.size(); ++i)
      excess[static_cast<index_t>(i)][drawn.labels[i]] -= 1;
    // l2 W = -X' excess / n at the optimum, so scores follow from the residuals alone
    const double n = static_cast<double>(drawn.labels.size());
    const auto weights = at::mm(x.t(), excess) / (-l2 * n);
    const auto intercept = excess.sum(0) / (-l2 * n);
    const auto again = at::log_softmax(at::addmm(intercept, x, weights), 1);
    RC_ASSERT(largest(again - p.log()) < 1e-3);
  }));
}

TEST_CASE("logistic_regression: neither units nor the order of examples matter, and duplicates count twice") {
  CHECK(holds("symmetries", [] {
    const auto drawn = draw();
    models::logistic_regression one, other;
    one.fit(drawn.features, drawn.labels, drawn.classes);
    const auto twice = at::cat({drawn.features, drawn.features.flip(0)}) * 7 - 2;
    auto labels = drawn.labels;
    labels.insert(labels.end(), drawn.labels.rbegin(), drawn.labels.rend());
    other.fit(twice, labels, drawn.classes);
    RC_ASSERT(largest(one.probabilities(drawn.features) - other.probabilities(drawn.features * 7 - 2)) < .05);
    RC_ASSERT(std::abs(one.objective() - other.objective()) < 2e-6);
  }));
}

TEST_CASE("logistic_regression: the first step's value is ln classes, and what does not fit is refused") {
  const auto x = at::ones({4, 1}, at::kFloat);
  const std::vector<int> labels{0, 1, 2, 3};
  models::logistic_regression model;
  CHECK_THROWS_AS((void)model.scores(x), usage_error);
  model.fit(x, labels, 4);
  CHECK(model.objective() == doctest::Approx(std::log(4.0)));
  CHECK(model.probabilities(x)[0][0].item<double>() == doctest::Approx(.25));
  CHECK_THROWS_AS(model.fit(x, std::vector<int>{0, 1, 2, 4}, 4), usage_error);
  CHECK_THROWS_AS(model.fit(x, std::vector<int>{0, 1}, 4), usage_error);
  CHECK_THROWS_AS(model.fit(x * std::sqrt(-1.0F), labels, 4), data_error);
  CHECK_THROWS_AS((void)model.scores(x.to(at::kDouble)), usage_error);
  CHECK_THROWS_AS(models::logistic_regression({.l2 = 0}), usage_error);
  models::logistic_regression hurried({.l2 = 1e-6, .tolerance = 1e-12, .most_steps = 1});
  CHECK_THROWS_AS(hurried.fit(at::arange(4, at::kDouble).unsqueeze(1), labels, 4), data_error);
}

TEST_CASE("nearest_neighbour: the classes of the nearest by distances from their definition") {
  CHECK(holds("by sorting", [] {
    const auto train = draw(6),
               test = test::drawn_examples(5, static_cast<std::size_t>(train.features.size(1)), 2);
    const int k = *rc::gen::inRange(1, 6);
    models::nearest_neighbour model(k);
    model.fit(train.features, train.labels, train.classes);
    const auto scores = model.scores(test.features);
    const auto predicted = model.predict(test.features);
    for (index_t i = 0; i < 5; ++i) {
      std::vector<std::pair<double, int>> near;
      for (index_t j = 0; j < train.features.size(0); ++j)
        near.emplace_back((test.features[i] - train.features[j]).square().sum().item<double>(),
                          train.labels[static_cast<std::size_t>(j)]);
      std::sort(near.begin(), near.end());
      const auto last = static_cast<std::size_t>(k) - 1;
      const bool clear = near.size() == last + 1 || near[last + 1].first > near[last].first + 1e-9;
      RC_PRE(clear);
      std::vector<int> votes(train.classes);
      for (int j = 0; j < k; ++j) ++votes[static_cast<std::size_t>(near[static_cast<std::size_t>(j)].second)];
      const int most = *std::max_element(votes.begin(), votes.end());
      RC_ASSERT(votes[static_cast<std::size_t>(predicted[static_cast<std::size_t>(i)])] == most);
      for (std::size_t c = 0; c < train.classes; ++c)
        RC_ASSERT(std::abs(scores[i][static_cast<index_t>(c)].item<double>() -
                           votes[c] / static_cast<double>(k)) < 1e-6);
    }
  }));
}

TEST_CASE(
    "nearest_neighbour: a training example is its own nearest, ties go to the nearest, many rows pass in "
    "parts") {
  const auto x = at::arange(1500, at::kFloat).unsqueeze(1);
  std::vector<int> labels;
  for (int i = 0; i < 1500; ++i) labels.push_back(i % 2);
  models::nearest_neighbour one(1), two(2);
  one.fit(x, labels, 2);
  two.fit(x, labels, 2);
  CHECK(one.predict(x) == labels);
  CHECK(two.predict(x + .25) == labels);
  CHECK(one.predict(at::empty({0, 1}, at::kFloat)).empty());
  CHECK_THROWS_AS(models::nearest_neighbour(0), usage_error);
  CHECK_THROWS_AS(models::nearest_neighbour(3).fit(x.slice(0, 0, 2), std::vector<int>{0, 1}, 2), usage_error);
  CHECK_THROWS_AS((void)models::nearest_neighbour(1).predict(x), usage_error);
}
