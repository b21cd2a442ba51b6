#include "fmsb/models/floors/ridge_classifier.hpp"

#include "floors_support.hpp"
#include "support/property.hpp"

#include <ATen/ops/linalg_solve.h>  // at::linalg_solve

#include <cmath>   // std::sqrt
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::holds, test::largest;

namespace {

struct plain_ridge {
  tensor weights, intercept;

  /// The normal equations about the means, in double.
  plain_ridge(const tensor& x, const tensor& y, double lambda) {
    const auto about = x - x.mean(0);
    weights = at::linalg_solve(at::mm(about.t(), about) + lambda * at::eye(x.size(1), x.options()),
                               at::mm(about.t(), y - y.mean(0)));
    intercept = y.mean(0) - at::mv(weights.t(), x.mean(0));
  }
  tensor operator()(const tensor& x) const { return at::addmm(intercept, x, weights); }
};

/// What each row is predicted by a fit to all the others.
tensor left_out(const tensor& x, const tensor& y, double lambda) {
  std::vector<tensor> rows;
  for (index_t i = 0; i < x.size(0); ++i) {
    const auto without = [&](const tensor& of) { return at::cat({of.slice(0, 0, i), of.slice(0, i + 1)}); };
    rows.push_back(plain_ridge(without(x), without(y), lambda)(x.slice(0, i, i + 1)));
  }
  return at::cat(rows);
}

test::drawn_examples draw() {
  return {*rc::gen::inRange<std::size_t>(4, 14), *rc::gen::inRange<std::size_t>(1, 20),
          *rc::gen::inRange<std::size_t>(2, 4)};
}

}  // namespace

TEST_CASE("leave-one-out ridge: by rows and by features it is what fits without each row say") {
  CHECK(holds("closed form against refits", [] {
    const auto drawn = draw();
    const auto y = models::detail::one_vs_rest_targets("test", drawn.labels, drawn.classes, at::kDouble);
    const auto x = drawn.features - drawn.features.mean(0);
    const double lambda = *rc::gen::inRange(1, 500) / 50.0;
    const auto plain = left_out(x, y, lambda);
    const auto same = [&](const auto& problem) {
      const auto found = problem.at(lambda);
      RC_ASSERT(largest(y - found.residuals - plain) < 1e-9 * (1 + largest(plain)));
      RC_ASSERT(std::abs(found.error - (y - plain).square().mean().template item<double>()) < 1e-9);
      RC_ASSERT(largest(problem.of_features(found, x) - plain_ridge(x, y, lambda).weights) < 1e-9);
      RC_ASSERT(std::abs(problem.scale() - x.square().sum(1).mean().template item<double>()) < 1e-9);
    };
    same(models::ridge_by_rows(x, y));
    same(models::ridge_by_features(x, y));
  }));
}

TEST_CASE(
    "leave-one-out ridge: blocks of the Gram matrix and of the inverse fit together, in float to 1e-3") {
  // 900 rows: more than a block of each
  const index_t n = 900, columns = 1000;
  auto x = at::arange(n * columns, at::kDouble).mul_(12.9898).sin_().mul_(43758.5453);
  x = (x - x.floor()).view({n, columns});
  x = x - x.mean(0);
  std::vector<int> labels;
  for (index_t i = 0; i < n; ++i) labels.push_back(static_cast<int>(i % 3));
  const auto y = models::detail::one_vs_rest_targets("test", labels, 3, at::kDouble);
  const auto by_rows = models::ridge_by_rows(x, y).at(40),
             by_features = models::ridge_by_features(x, y).at(40);
  CHECK(largest(by_rows.residuals - by_features.residuals) < 1e-9 * largest(by_features.residuals));
  const auto in_float = models::ridge_by_rows(x.to(at::kFloat), y.to(at::kFloat)).at(40);
  CHECK(largest(in_float.residuals - by_features.residuals) < 1e-3 * largest(by_features.residuals));
}

TEST_CASE("standardise: columns of mean 0 and deviation 1, constant ones 0, at any number of columns") {
  CHECK(holds("by its definition", [] {
    const test::drawn_examples drawn(*rc::gen::inRange<std::size_t>(2, 9),
                                     *rc::gen::inRange<std::size_t>(1, 600), 2);
    auto x = drawn.features.clone();
    x.select(1, x.size(1) / 2).fill_(.1);
    const auto before = x.clone();
    const auto scales = models::standardise(x);
    RC_ASSERT(largest(scales.mean - before.mean(0)) < 1e-12);
    RC_ASSERT(largest(x - (before - scales.mean) * scales.inverse) < 1e-9);
    const auto squares = x.square().mean(0);
    RC_ASSERT(largest((squares - 1) * squares) < 1e-9);
    RC_ASSERT(largest(x.select(1, x.size(1) / 2)) == 0);
  }));
}

TEST_CASE("ridge_classifier: scores are those of the plain fit at the chosen strength, whatever the scale") {
  CHECK(holds("scores", [] {
    const auto drawn = draw();
    models::ridge_classifier ridge;
    ridge.fit(drawn.features * 3 + 5, drawn.labels, drawn.classes);
    const auto y = models::detail::one_vs_rest_targets("test", drawn.labels, drawn.classes, at::kDouble);
    auto x = drawn.features.clone();
    models::standardise(x);
    const auto plain = plain_ridge(x, y, ridge.chosen_lambda())(x);
    RC_ASSERT(largest(ridge.scores(drawn.features * 3 + 5) - plain) < 1e-7);
    RC_ASSERT(largest(ridge.leave_one_out_scores() - left_out(x, y, ridge.chosen_lambda())) < 1e-6);
    // every strength that was tried lies on a grid; no other of the first round is better
    for (int i = 1; i <= 4; ++i) {
      const double tried = ridge.chosen_lambda() / ridge.chosen_strength() * std::pow(10.0, -3 + i);
      const double error = (left_out(x, y, tried) - y).square().mean().item<double>();
      RC_ASSERT(ridge.leave_one_out_error() < error + 1e-7);
    }
  }));
}

TEST_CASE("ridge_classifier: what does not fit is refused") {
  const auto x = at::ones({3, 2}, at::kDouble);
  const std::vector<int> labels{0, 1, 0};
  models::ridge_classifier ridge;
  CHECK_THROWS_AS((void)ridge.scores(x), usage_error);
  CHECK_THROWS_AS(ridge.fit(x, std::vector<int>{0, 1}, 2), usage_error);
  CHECK_THROWS_AS(ridge.fit(x, std::vector<int>{0, 1, 2}, 2), usage_error);
  CHECK_THROWS_AS(ridge.fit(x * (std::sqrt(-1.0)), labels, 2), data_error);
  CHECK_THROWS_AS(models::ridge_classifier({.lowest = 0}), usage_error);
  CHECK_THROWS_AS(models::ridge_classifier({.rounds = 0}), usage_error);
  ridge.fit(x, labels, 2);  // constant features: the mean alone
  CHECK(ridge.predict(x) == std::vector<int>{0, 0, 0});
  CHECK(ridge.scores(x)[0][0].item<double>() == doctest::Approx(1 / 3.0));
  CHECK_THROWS_AS((void)ridge.scores(at::ones({3, 3}, at::kDouble)), usage_error);
  CHECK_THROWS_AS((void)ridge.scores(at::ones({3, 2}, at::kFloat)), usage_error);
}
