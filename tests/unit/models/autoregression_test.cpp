#include "fmsb/models/autoregression.hpp"

#include "fmsb/nn/module.hpp"

#include "support/property.hpp"

#include <torch/nn/modules/container/any.h>         // torch::nn::AnyModule
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential
#include <torch/nn/modules/linear.h>                // torch::nn::Linear
#include <torch/optim/adam.h>                       // torch::optim::Adam
#include <torch/optim/sgd.h>                        // torch::optim::SGD

#include <algorithm>  // std::max
#include <sstream>    // std::stringstream
#include <string>     // std::string
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using any_autoregression = models::autoregression<dynamic, dynamic, dynamic>;

ar::model fitted(std::vector<double> coefficients, int differencing, double intercept) {
  return {coefficients.size(), differencing, std::move(coefficients), intercept};
}

/// Drawn coefficients, small enough that no forecast explodes.
ar::model drawn_model(std::size_t order, int differencing) {
  ar::model m{order, differencing, std::vector<double>(order), 0.001 * *rc::gen::inRange(-1000, 1000)};
  for (double& phi : m.coefficients)
    phi = 0.001 * *rc::gen::inRange(-1000, 1000) / static_cast<double>(order);
  return m;
}

/// Levels by the definition of the model: difference, forecast the differences one by one, sum up again.
std::vector<double> forecast_by_differences(const ar::model& m, std::vector<double> levels, index_t horizon) {
  std::vector<double> last;  // the newest value of the levels, their differences, ...
  for (int k = 0; k < m.differencing; ++k) {
    last.push_back(levels.back());
    for (std::size_t t = 0; t + 1 < levels.size(); ++t) levels[t] = levels[t + 1] - levels[t];
    levels.pop_back();
  }
  std::vector<double> path;
  for (index_t h = 0; h < horizon; ++h) {
    double next = m.intercept;
    for (std::size_t i = 0; i < m.order; ++i) next += m.coefficients[i] * levels[levels.size() - 1 - i];
    levels.push_back(next);
    for (std::size_t k = last.size(); k-- > 0;) next = last[k] += next;
    path.push_back(next);
  }
  return path;
}

tensor random(at::IntArrayRef shape) { return torch::randn(shape, torch::kDouble); }

double largest(const tensor& x) { return x.abs().max().item<double>(); }

/// The largest gap between the gradient that autograd finds for `loss` and central differences, over
/// every element of `x`, relative to the largest gradient where that exceeds 1.
template <class Loss>
double gradient_gap(const Loss& loss, const tensor& x) {
  x.mutable_grad() = tensor();
  loss().backward();
  const tensor gradient = x.grad().clone();
  const torch::NoGradGuard quiet;
  double gap = 0;
  for (double *value = x.data_ptr<double>(), *slope = gradient.data_ptr<double>(), *end = value + x.numel();
       value != end; ++value, ++slope) {
    const double kept = *value, step = 1e-5;
    *value = kept + step;
    const double above = loss().template item<double>();
    *value = kept - step;
    const double below = loss().template item<double>();
    *value = kept;
    gap = std::max(gap, std::abs(*slope - (above - below) / (2 * step)));
  }
  return gap / std::max(1.0, largest(gradient));
}

/// y(t) = .2 + .6 y(t-1) - .3 y(t-2) + .1 y(t-3) + noise, three channels, summed up once.
tensor synthetic_levels(index_t length) {
  torch::manual_seed(20);
  const tensor noise = random({3, length});
  std::vector<tensor> y{noise.select(1, 0), noise.select(1, 1), noise.select(1, 2)};
  for (index_t t = 3; t < length; ++t) {
    const auto i = static_cast<std::size_t>(t);
    y.push_back(.2 + .6 * y[i - 1] - .3 * y[i - 2] + .1 * y[i - 3] + noise.select(1, t));
  }
  return torch::stack(y, 1).cumsum(1);
}

/// Pooled least squares on first differences, by QR: [lags..., intercept].
tensor least_squares(const tensor& levels, index_t order) {
  const tensor y = levels.diff(1, 1);
  const index_t samples = y.size(1) - order;
  std::vector<tensor> columns;
  for (index_t i = 1; i <= order; ++i)
    columns.push_back(y.slice(1, order - i, order - i + samples).reshape({-1}));
  columns.push_back(torch::ones({y.size(0) * samples}, torch::kDouble));
  const auto [q, r] = at::linalg_qr(torch::stack(columns, 1));
  return at::linalg_solve_triangular(r, q.t().mm(y.slice(1, order).reshape({-1, 1})), /*upper=*/true)
      .squeeze(1);
}

template <class From, class Into>
void copy_through_a_file(const From& from, Into& into) {
  std::stringstream file;
  torch::save(from, file);
  torch::load(into, file);
}

static_assert(models::autoregression<192, 1>::parameter_count == 193);
static_assert(models::autoregression<0, 1>::parameter_count == 1);
static_assert(models::autoregression<dynamic, 1>::parameter_count == dynamic);

}  // namespace

TEST_CASE("a forecast equals the plain loop over differences, for every order, differencing and horizon") {
  CHECK(test::holds("forecast is the loop's", [] {
    const int differencing = *rc::gen::inRange(0, 3);
    const auto order = *rc::gen::inRange<std::size_t>(differencing == 0 ? 1 : 0, 9);
    const auto horizon = *rc::gen::inRange<index_t>(1, 20);
    const auto spare = *rc::gen::inRange<index_t>(0, 4);
    const ar::model m = drawn_model(order, differencing);
    nn::module<any_autoregression> layer(m);
    const tensor x = random({2, 3, layer->memory() + spare});
    const tensor y = layer->forecast(x, horizon);
    RC_ASSERT(y.sizes() == at::IntArrayRef({2, 3, horizon}));
    for (index_t row = 0; row < 6; ++row) {
      const tensor levels = x.reshape({6, -1}).select(0, row).contiguous();
      const auto span = nn::values_of(levels);
      const auto plain = forecast_by_differences(m, {span.begin(), span.end()}, horizon);
      RC_ASSERT(largest(y.reshape({6, -1}).select(0, row) - nn::vector_view(plain)) < 1e-10);
    }
  }));
}

TEST_CASE("a forecast of several steps is the one-step forecast fed back") {
  nn::module<models::autoregression<4, 1>> layer(fitted({.5, -.2, .1, .3}, 1, .05));
  tensor x = random({2, 3, 9});
  const tensor at_once = layer->forecast(x, 12);
  for (index_t h = 0; h < 12; ++h) x = torch::cat({x, layer(x)}, -1);
  CHECK(largest(at_once - x.slice(-1, 9)) < 1e-12);
}

TEST_CASE("forward is the forecast of the horizon that the type or the extents say") {
  const ar::model m = fitted({.5, .2}, 1, .1);
  const tensor x = random({1, 2, 8});
  nn::module<models::autoregression<2, 1>> one(m);
  nn::module<models::autoregression<2, 1, 5>> five(m);
  nn::module<any_autoregression> chosen(m, 5);
  CHECK(one(x).sizes() == at::IntArrayRef({1, 2, 1}));
  CHECK(five(x).equal(chosen(x)));
  CHECK(five(x).slice(-1, 0, 1).allclose(one(x)));
  CHECK(nn::module<any_autoregression>(m)->horizon() == 1);
}

TEST_CASE("without a fitted model the forecast starts at zero, the last value or the last slope") {
  const tensor x = torch::tensor({{1.0, 2.0, 4.0}}, torch::kDouble);
  CHECK(nn::module<models::autoregression<2, 0, 2>>()(x).equal(torch::tensor({{0.0, 0.0}}, torch::kDouble)));
  CHECK(nn::module<models::autoregression<2, 1, 2>>()(x).equal(torch::tensor({{4.0, 4.0}}, torch::kDouble)));
  CHECK(nn::module<models::autoregression<1, 2, 2>>()(x).equal(torch::tensor({{6.0, 8.0}}, torch::kDouble)));
}

TEST_CASE("static and dynamic extents give one answer, one set of names and one kind of file") {
  const ar::model m = fitted({.5, -.2, .1}, 1, .05);
  nn::module<models::autoregression<3, 1, 7>> fixed(m);
  nn::module<any_autoregression> free(
      any_autoregression::extents{.lags = 3, .differencing = 1, .horizon = 7});
  const std::vector<std::string> names{"lags", "intercept"};
  CHECK(fixed->named_parameters().keys() == names);
  CHECK(free->named_parameters().keys() == names);
  CHECK(fixed->lags.sizes() == free->lags.sizes());
  copy_through_a_file(fixed, free);
  const tensor x = random({2, 2, 6});
  CHECK(fixed(x).equal(free(x)));
  CHECK(free->to_model() == m);
}

TEST_CASE("a fitted model goes in and comes out without loss") {
  CHECK(test::holds("to_model inverts construction", [] {
    const int differencing = *rc::gen::inRange(0, 3);
    const ar::model m = drawn_model(*rc::gen::inRange<std::size_t>(1, 9), differencing);
    RC_ASSERT(nn::module<any_autoregression>(m)->to_model() == m);
  }));
}

TEST_CASE("gradients in the lags, the intercept and the context equal central differences") {
  torch::manual_seed(3);
  for (const int differencing : {0, 1, 2})
    for (const index_t horizon : {1, 2, 11}) {
      nn::module<any_autoregression> layer(fitted({.5, -.2, .1, .3}, differencing, .05));
      const tensor x = random({2, 3, 8}).requires_grad_(), target = random({2, 3, horizon});
      const auto loss = [&] { return (layer->forecast(x, horizon) - target).pow(2).mean(); };
      CHECK(gradient_gap(loss, layer->lags) < 1e-7);
      CHECK(gradient_gap(loss, layer->intercept) < 1e-7);
      CHECK(gradient_gap(loss, x) < 1e-7);
    }
}

TEST_CASE("the forecast matrix starts with the coefficients and ends with the impulse response") {
  const ar::model m = fitted({.5, -.2, .1}, 1, 0);
  nn::module<models::autoregression<3, 1>> layer(m);
  const torch::NoGradGuard quiet;
  const tensor weights = models::forecast_weights(layer->level_coefficients(), 6);
  CHECK(weights.sizes() == at::IntArrayRef({6, 4}));
  const auto coefficients = ar::level_coefficients(m);
  CHECK(largest(weights.select(0, 0).flip(0) - nn::vector_view(coefficients)) < 1e-15);
  const auto response = ar::impulse_response(m, 7);
  CHECK(largest(weights.select(1, 3) - nn::vector_view(response).slice(0, 1)) < 1e-14);
}

TEST_CASE("second derivatives through the forecast matrix are refused rather than wrong") {
  nn::module<models::autoregression<2, 0, 3>> layer(fitted({.5, .2}, 0, .1));
  const tensor loss = layer(random({1, 1, 4})).sum();
  CHECK_THROWS_WITH_AS(loss.backward({}, /*retain_graph=*/true, /*create_graph=*/true),
                       doctest::Contains("first derivatives only"), usage_error);
}

TEST_CASE("a one-step forecast has second derivatives") {
  nn::module<models::autoregression<2, 0>> layer(fitted({.5, .2}, 0, .1));
  const tensor x = torch::tensor({{2.0, 3.0}}, torch::kDouble);
  const tensor loss = layer(x).pow(2).sum();  // (.5 * 3 + .2 * 2 + .1)^2 = 4
  loss.backward({}, /*retain_graph=*/true, /*create_graph=*/true);
  const tensor slope = layer->lags.grad();
  CHECK(slope.allclose(torch::tensor({12.0, 8.0}, torch::kDouble)));
  layer->lags.mutable_grad() = tensor();
  slope[0].backward();
  CHECK(layer->lags.grad().allclose(torch::tensor({18.0, 12.0}, torch::kDouble)));
}

TEST_CASE("an autoregression stands in Sequential and AnyModule") {
  const ar::model m = fitted({.5, -.2, .1}, 1, .05);
  const tensor x = random({2, 3, 8});
  nn::module<models::autoregression<3, 1, 4>> layer{m};
  torch::nn::Sequential chain(layer, torch::nn::Linear(4, 2));
  chain->to(torch::kDouble);
  CHECK(chain->forward(x).sizes() == at::IntArrayRef({2, 3, 2}));
  CHECK(torch::nn::Sequential(nn::module<models::autoregression<3, 1>>{m})->forward(x).sizes() ==
        at::IntArrayRef({2, 3, 1}));
  torch::nn::AnyModule any(layer);
  CHECK(any.forward(x).equal(layer(x)));
  const auto copy = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(chain->clone());
  CHECK(copy->forward(x).equal(chain->forward(x)));
}

TEST_CASE("training a clone leaves its original alone") {
  nn::module<models::autoregression<2, 1>> layer(fitted({.5, .2}, 1, .1));
  const nn::module<models::autoregression<2, 1>> copy(
      std::dynamic_pointer_cast<nn::concrete<models::autoregression<2, 1>>>(layer->clone()));
  CHECK(copy->to_model() == layer->to_model());
  torch::optim::SGD optimiser(copy->parameters(), .1);
  copy.ptr()->forward(random({4, 1, 5})).pow(2).mean().backward();
  optimiser.step();
  CHECK(layer->to_model() == fitted({.5, .2}, 1, .1));
  CHECK_FALSE(copy->to_model() == layer->to_model());
  CHECK_FALSE(layer->lags.grad().defined());
}

TEST_CASE("a file of another order or differencing is refused") {
  nn::module<models::autoregression<3, 1>> saved(fitted({.5, -.2, .1}, 1, .05)), same;
  nn::module<models::autoregression<5, 1>> longer;
  nn::module<models::autoregression<3, 2>> smoother;
  copy_through_a_file(saved, same);
  CHECK(same->to_model() == saved->to_model());
  CHECK_THROWS_WITH_AS(copy_through_a_file(saved, longer),
                       doctest::Contains("autoregression(lags=5, differencing=1)"), data_error);
  CHECK_THROWS_WITH_AS(copy_through_a_file(saved, smoother),
                       doctest::Contains("autoregression(lags=3, differencing=1)"), data_error);
  CHECK(longer->to_model() == nn::module<models::autoregression<5, 1>>()->to_model());
}

TEST_CASE("gradient descent by any optimiser finds the least-squares fit") {
  const tensor levels = synthetic_levels(400);
  const tensor optimum = least_squares(levels, 3);
  const tensor windows =
      levels.unfold(1, 5, 1).reshape({1, -1, 5});  // three lags, one difference, one target
  const tensor context = windows.slice(-1, 0, 4), target = windows.slice(-1, 4);
  const auto train = [&](auto&& optimiser, auto& layer) {
    for (int step = 0; step < 400; ++step) {
      optimiser.zero_grad();
      (layer(context) - target).pow(2).mean().backward();
      optimiser.step();
    }
    return largest(torch::cat({layer->lags, layer->intercept}) - optimum);
  };
  nn::module<models::autoregression<3, 1>> by_adam, by_descent;
  CHECK(train(torch::optim::Adam(by_adam->parameters(), .02), by_adam) < 1e-3);
  CHECK(train(torch::optim::SGD(by_descent->parameters(), torch::optim::SGDOptions(.1).momentum(.5)),
              by_descent) < 1e-6);
}

TEST_CASE("a module in single precision forecasts in single precision, and says so when the context is not") {
  nn::module<models::autoregression<2, 1, 4>> layer(fitted({.5, .2}, 1, .1));
  const tensor x = random({1, 2, 6});
  const tensor exact = layer(x);
  layer->to(torch::kFloat);
  CHECK(layer(x.to(torch::kFloat)).is_floating_point());
  CHECK(layer(x.to(torch::kFloat)).element_size() == sizeof(float));
  CHECK(largest(layer(x.to(torch::kFloat)).to(torch::kDouble) - exact) < 1e-5);
  CHECK_THROWS_WITH_AS(layer(x), doctest::Contains("computes in Float, but the context is Double"),
                       usage_error);
}

TEST_CASE("misuse is answered by a sentence with the numbers") {
  using fixed = models::autoregression<3, 1>;
  nn::module<fixed> layer;
  CHECK_THROWS_WITH_AS(
      layer(random({2, 2, 3})),
      "models::autoregression(lags=3, differencing=1) reads the last 4 levels (lags + "
      "differencing), but the context holds 3. Give [batch, channels, context] with a longer "
      "context, or use fewer lags.",
      usage_error);
  CHECK_THROWS_WITH_AS(layer->forecast(random({4}), 0), doctest::Contains("a forecast of 0 steps"),
                       usage_error);
  CHECK_THROWS_WITH_AS(nn::module<fixed>(fitted({.5, .2}, 1, 0)),
                       doctest::Contains("\"lags\" was given as 2, but the type fixes 3"), usage_error);
  CHECK_THROWS_WITH_AS(nn::module<fixed>(fitted({.5, .2, .1}, 0, 0)),
                       doctest::Contains("\"differencing\" was given as 0, but the type fixes 1"),
                       usage_error);
  CHECK_THROWS_WITH_AS(nn::module<fixed>(ar::model{3, 1, {.5}, 0}),
                       doctest::Contains("says order 3 but holds 1 coefficients"), usage_error);
  CHECK_THROWS_WITH_AS(nn::module<any_autoregression>(any_autoregression::extents{.lags = 3, .horizon = 1}),
                       doctest::Contains("nothing says how large \"differencing\" is"), usage_error);
  CHECK_THROWS_WITH_AS(
      nn::module<any_autoregression>(any_autoregression::extents{.lags = 0, .differencing = 0, .horizon = 1}),
      doctest::Contains("lags + differencing is 0"), usage_error);
  CHECK_THROWS_WITH_AS(
      nn::module<any_autoregression>(any_autoregression::extents{.lags = 1, .differencing = 0, .horizon = 0}),
      doctest::Contains("the horizon is 0"), usage_error);
}
