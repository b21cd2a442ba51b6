#include "fmsb/adapt/lora.hpp"  // lora

#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/adapt/vera.hpp"   // vera: stacked on it
#include "fmsb/nn/linear.hpp"    // linear
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "support/property.hpp"
#include "twin.hpp"  // apart, from_differences

#include <cmath>   // std::sqrt
#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::apart;

namespace {

template <adapt::lora_options Options = {}, nn::bias_term Bias = nn::bias_term::yes>
using adapted = nn::with<nn::linear<6, 5, Bias>, adapt::lora<3, Options>>;
using loose = nn::with<nn::linear<dynamic, dynamic>, adapt::lora<2>>;

static_assert(nn::parameters<adapted<>> == 35 + 3 * (6 + 5));
static_assert(nn::trainable_parameters<adapted<>> == 33);
static_assert(nn::trainable_parameters<adapted<{.bias = true}>> == 38);
static_assert(nn::trainable_parameters<nn::with<adapted<>, adapt::vera<4>>> == 33 + 9);
static_assert(nn::trainable_parameters<loose> == dynamic);

template <class T>
tensor plain(const T& m, const tensor& x, double s) {
  auto y = at::linear(at::linear(x, m.lora_A), m.lora_B);
  if (m.lora_B_bias.defined()) y = y + m.lora_B_bias;
  y = y * s + at::linear(x, m.weight);
  return m.bias.defined() ? y + m.bias : y;
}

template <class T>
void require_plain(double s) {
  torch::manual_seed(5);
  nn::module<T> m;
  test::draw_adapters(m);
  for (const auto& x : test::inputs_of(6))
    CHECK(apart(
              m, [&](const tensor& v) { return plain(*m, v, s); }, x) == "");
  CHECK(test::from_differences(m, test::inputs_of(6)[0]) < 1e-6);
  auto merged = adapt::merge(m);
  const auto x = test::inputs_of(6)[1];
  CHECK(test::distance(merged->forward(x), m->forward(x)) < 1e-12);
}

}  // namespace

TEST_CASE("LoRA on a linear layer is W x + b + s B A x, with the gradients of stock operators") {
  require_plain<adapted<>>(1);
  require_plain<adapted<{.alpha = 12}>>(4);
  require_plain<adapted<{.alpha = 12}, nn::bias_term::no>>(4);
}

TEST_CASE("rsLoRA divides by the root of the rank") {
  require_plain<adapted<{.alpha = 2, .rank_stabilised = true}>>(2 / std::sqrt(3.0));
}

TEST_CASE("LoRA with a bias in B adds it, scaled") { require_plain<adapted<{.alpha = 6, .bias = true}>>(2); }

TEST_CASE("a bias of B gives a layer without bias nothing to merge into but its own") {
  using T = adapted<{.alpha = 6, .bias = true}, nn::bias_term::no>;
  nn::module<T> m;
  test::draw_adapters(m);
  const auto x = test::inputs_of(6)[0];
  CHECK(apart(
            m, [&](const tensor& v) { return plain(*m, v, 2); }, x) == "");
}

TEST_CASE("LoRA of dynamic extents computes what that of static extents does") {
  torch::manual_seed(6);
  nn::module<nn::with<nn::linear<6, 5>, adapt::lora<2>>> fixed;
  torch::manual_seed(6);
  nn::module<loose> m(nn::linear_extents{.in = 6, .out = 5});
  const auto x = at::randn({3, 6});
  m->lora_B.data().normal_();
  fixed->lora_B.data().copy_(m->lora_B);
  CHECK(m->forward(x).equal(fixed->forward(x)));
  CHECK(m->describe() == fixed->describe());
}

TEST_CASE("an adapted layer begins as its base, which is frozen and holds no gradient") {
  torch::manual_seed(7);
  nn::module<adapted<>> m;
  auto x = at::randn({4, 6}).requires_grad_();
  CHECK(m->forward(x).equal(at::linear(x, m->weight, m->bias)));
  m->forward(x).sum().backward();
  CHECK_FALSE(m->weight.requires_grad());
  CHECK_FALSE(m->weight.grad().defined());
  CHECK_FALSE(m->bias.grad().defined());
  CHECK(m->lora_A.grad().defined());
  CHECK(m->lora_B.grad().abs().sum().item<double>() > 0);
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<adapted<>>, nn::trainable_parameters<adapted<>>});
  CHECK(m->named_parameters().keys() == std::vector<std::string>{"weight", "bias", "lora_A", "lora_B"});
}

TEST_CASE("a base that is thawed gets its gradient") {
  nn::module<adapted<>> m;
  test::draw_adapters(m);
  m->weight.set_requires_grad(true);
  m->bias.set_requires_grad(true);
  for (const auto& x : test::inputs_of(6))
    CHECK(apart(
              m, [&](const tensor& v) { return plain(*m, v, 1); }, x) == "");
}

TEST_CASE("two adapters on one layer add up, and so do they merged") {
  using T = nn::with<nn::linear<6, 5>, adapt::lora<3, {.alpha = 6}>, adapt::vera<4>>;
  nn::module<T> m;
  test::draw_adapters(m);
  const auto twin = [&](const tensor& v) {
    const auto random = at::linear(at::linear(v, m->shared_A()) * m->vera_lambda_d, m->shared_B());
    return plain(*m, v, 2) + random * m->vera_lambda_b;
  };
  for (const auto& x : test::inputs_of(6)) {
    CHECK(apart(m, twin, x) == "");
    CHECK(test::distance(adapt::merge(m)->forward(x), twin(x)) < 1e-12);
  }
}

TEST_CASE("dropout stands in the branch alone, and only in training") {
  torch::manual_seed(8);
  nn::module<adapted<{.dropout = 0.5}>> m;
  test::draw_adapters(m);
  const auto x = at::randn({200, 6}, at::kDouble);
  const auto base = at::linear(x, m->weight, m->bias);
  m->eval();
  CHECK(test::distance(m->forward(x), plain(*m, x, 1)) < 1e-12);
  m->train();
  const auto a = m->forward(x), b = m->forward(x);
  CHECK(test::distance(a, b) > 1e-3);
  auto mean = at::zeros_like(a);
  for (int i = 0; i < 400; ++i) mean += m->forward(x) - base;
  CHECK(((mean / 400 - (plain(*m, x, 1) - base)).mean().abs().item<double>()) < 0.02);
}

TEST_CASE("a clone of an adapted layer has its numbers and shares none") {
  nn::module<adapted<>> m;
  test::draw_adapters(m);
  auto copy = test::cloned(m);
  const auto x = test::inputs_of(6)[0];
  CHECK(copy->forward(x).equal(m->forward(x)));
  m->lora_A.data().zero_();
  CHECK_FALSE(copy->forward(x).equal(m->forward(x)));
  CHECK(nn::count_parameters(*copy) == nn::count_parameters(*m));
}

TEST_CASE("an input of another width is refused with both widths") {
  nn::module<adapted<>> m;
  CHECK_THROWS_WITH_AS(m->forward(at::randn({2, 4})),
                       "An adapted linear layer with in=6 was given an input of shape [2, 4]; the last axis "
                       "must have 6 features.",
                       usage_error);
  CHECK(m->forward(at::randn({0, 6})).sizes() == at::IntArrayRef{0, 5});
  CHECK(m->forward(at::randn({0, 3, 6})).sizes() == at::IntArrayRef{0, 3, 5});
}

TEST_CASE("merging in float keeps six digits") {
  CHECK(test::holds("merged equals adapted", [] {
    const auto seed = *rc::gen::inRange(0, 1000);
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    nn::module<adapted<{.alpha = 4}>> m;
    m->lora_B.data().normal_();
    const auto x = at::randn({3, 6});
    RC_ASSERT(test::distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-6);
  }));
}
