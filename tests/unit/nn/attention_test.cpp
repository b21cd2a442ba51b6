#include "fmsb/nn/attention.hpp"  // multi_head_attention, key_value_cache, rotary

#include "fmsb/adapt/lora.hpp"   // lora
#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/adapt/plan.hpp"   // plan
#include "fmsb/core/error.hpp"   // usage_error
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "support/property.hpp"

#include <torch/csrc/autograd/autograd.h>           // torch::autograd::grad
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential

#include <cmath>    // std::abs, std::cos, std::exp, std::pow, std::sin, std::sqrt
#include <limits>   // std::numeric_limits
#include <string>   // std::string
#include <utility>  // std::pair
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

constexpr nn::attention_config scaled{.width = 6, .inner = 8, .heads = 2};
constexpr nn::attention_config as_t5{
    .width = 6, .inner = 4, .heads = 2, .scaled = false, .bias = nn::bias_term::no};
constexpr nn::attention_config of_other{.width = 6, .inner = 4, .heads = 2, .context_width = 3};

double distance(const tensor& a, const tensor& b) {
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e9;
}

template <class T>
nn::module<T> in_double() {
  nn::module<T> m;
  m->to(torch::kDouble);
  return m;
}

/// softmax(s Q K' + bias) V in loops over heads, queries and keys. Rotation is on where `turn` is given: it
/// turns one vector [d] by its position.
template <class T, class Turn>
tensor by_loops(const T& m, const tensor& x, const tensor& context, const tensor& bias, bool causal,
                Turn turn) {
  const auto& c = T::config;
  const index_t d = c.inner / c.heads, batch = x.size(0), queries = x.size(1), keys = context.size(1);
  const auto q = m.template at<"q">().forward(x), k = m.template at<"k">().forward(context),
             v = m.template at<"v">().forward(context);
  auto mixed = torch::zeros({batch, queries, c.inner}, torch::kDouble);
  const auto full = (bias.defined() ? bias : torch::zeros({1, 1, 1, 1}, torch::kDouble))
                        .expand({batch, c.heads, queries, keys});
  for (index_t b = 0; b < batch; ++b)
    for (index_t h = 0; h < c.heads; ++h)
      for (index_t i = 0; i < queries; ++i) {
        const auto of_head = [&](const tensor& t, index_t p) { return t[b][p].narrow(0, h * d, d); };
        std::vector<double> weight;
        double total = 0;
        for (index_t j = 0; j < keys; ++j) {
          const double score = turn(of_head(q, i), i).dot(turn(of_head(k, j), j)).template item<double>();
          const double s =
              score * (c.scaled ? 1 / std::sqrt(double(d)) : 1) + full[b][h][i][j].template item<double>();
          weight.push_back(causal && j > i ? 0 : std::exp(s));
          total += weight.back();
        }
        for (index_t j = 0; j < keys; ++j)
          mixed[b][i].narrow(0, h * d, d) += weight[static_cast<std::size_t>(j)] / total * of_head(v, j);
      }
  return m.template at<"o">().forward(mixed);
}

const auto still = [](const tensor& x, index_t) { return x; };

/// Pair (i, i + d/2) as a complex number times exp(i angle).
const auto turned = [](const tensor& x, index_t position) {
  const index_t half = x.size(0) / 2;
  auto y = x.clone();
  for (index_t i = 0; i < half; ++i) {
    const double angle = double(position) * std::pow(10000.0, -double(i) / double(half));
    const double a = x[i].item<double>(), b = x[i + half].item<double>();
    y[i] = a * std::cos(angle) - b * std::sin(angle);
    y[i + half] = b * std::cos(angle) + a * std::sin(angle);
  }
  return y;
};

using attention = nn::multi_head_attention<scaled>;
using rotated = nn::multi_head_attention<scaled, nn::unplanned, nn::rotary<>>;

static_assert(nn::parameters<attention> == 3 * (6 * 8 + 8) + 8 * 6 + 6);
static_assert(nn::parameters<nn::multi_head_attention<as_t5>> == 4 * 6 * 4);
static_assert(nn::parameters<nn::multi_head_attention<of_other>> == 6 * 4 + 4 + 2 * (3 * 4 + 4) + 4 * 6 + 6);
static_assert(nn::multiply_adds<attention> == 4 * 6 * 8);

}  // namespace

TEST_CASE("self-attention is its equation in loops: scaled or not, biased, causal, rotated") {
  const torch::NoGradGuard no_gradient;
  CHECK(test::holds("all hooks", [] {
    const auto tokens = *rc::gen::inRange<index_t>(1, 6);
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const auto x = torch::randn({2, tokens, 6}, torch::kDouble);
    const auto bias = torch::randn({1, 2, tokens, tokens}, torch::kDouble);
    const auto m = in_double<attention>();
    RC_ASSERT(distance(m->attend(x), by_loops(*m, x, x, {}, false, still)) < 1e-10);
    RC_ASSERT(distance(m->attend(x, {.causal = true}), by_loops(*m, x, x, {}, true, still)) < 1e-10);
    RC_ASSERT(distance(m->attend(x, {.bias = bias}), by_loops(*m, x, x, bias, false, still)) < 1e-10);
    RC_ASSERT(distance(m->attend(x, {.bias = bias, .causal = true}), by_loops(*m, x, x, bias, true, still)) <
              1e-10);
    const auto t5 = in_double<nn::multi_head_attention<as_t5>>();
    RC_ASSERT(distance(t5->attend(x, {.bias = bias}), by_loops(*t5, x, x, bias, false, still)) < 1e-10);
    const auto turning = in_double<rotated>();
    RC_ASSERT(distance(turning->attend(x, {.causal = true}), by_loops(*turning, x, x, {}, true, turned)) <
              1e-10);
  }));
}

TEST_CASE("cross-attention reads another sequence, of another width and length") {
  torch::manual_seed(1);
  auto m = in_double<nn::multi_head_attention<of_other>>();
  const auto x = torch::randn({2, 4, 6}, torch::kDouble), other = torch::randn({2, 5, 3}, torch::kDouble);
  CHECK(distance(m->attend(x, {.context = other}), by_loops(*m, x, other, {}, false, still)) < 1e-10);
  CHECK_THROWS_WITH_AS(m->forward(x), doctest::Contains("Give `context`"), usage_error);
  CHECK_THROWS_WITH_AS(m->attend(x, {.context = torch::zeros({2, 5, 6}, torch::kDouble)}),
                       doctest::Contains("another sequence of shape [2, 5, 6]; it takes [batch, tokens, 3]"),
                       usage_error);
  CHECK_THROWS_WITH_AS(m->attend(x, {.context = other.narrow(0, 0, 1)}),
                       doctest::Contains("Give one for each"), usage_error);
  CHECK_THROWS_WITH_AS(m->attend(x, {.context = other, .causal = true}),
                       doctest::Contains("another sequence"), usage_error);
}

TEST_CASE("a padding mask hides keys: what is hidden has no effect") {
  torch::manual_seed(2);
  auto m = in_double<attention>();
  const auto x = torch::randn({2, 5, 6}, torch::kDouble);
  auto mask = torch::zeros({2, 1, 1, 5}, torch::kDouble);
  mask.narrow(3, 3, 2).fill_(minus_infinity);
  auto changed = x.clone();
  changed.narrow(1, 3, 2).normal_();
  const auto y = m->attend(x, {.bias = mask}).narrow(1, 0, 3);
  CHECK(distance(y, m->attend(changed, {.bias = mask}).narrow(1, 0, 3)) < 1e-12);
  CHECK(distance(y, m->attend(x.narrow(1, 0, 3))) < 1e-12);
}

TEST_CASE("with a cache, any split of a sequence gives what the whole gives") {
  const torch::NoGradGuard no_gradient;
  CHECK(test::holds("causal self-attention, rotated, token by token or in pieces", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const index_t tokens = *rc::gen::inRange<index_t>(1, 9);
    const auto m = in_double<rotated>();
    const auto x = torch::randn({2, tokens, 6}, torch::kDouble);
    const auto whole = m->attend(x, {.causal = true});
    nn::key_value_cache cache;
    for (index_t first = 0; first < tokens;) {
      const index_t piece = *rc::gen::inRange<index_t>(1, tokens - first + 1);
      const auto y = m->attend(x.narrow(1, first, piece), {.causal = true, .cache = &cache});
      RC_ASSERT(distance(y, whole.narrow(1, first, piece)) < 1e-10);
      first += piece;
      RC_ASSERT(cache.length() == first);
    }
  }));
}

TEST_CASE("with a cache, a bias over all keys is still the one of the whole") {
  const torch::NoGradGuard no_gradient;
  torch::manual_seed(3);
  auto m = in_double<nn::multi_head_attention<as_t5>>();
  const auto x = torch::randn({1, 6, 6}, torch::kDouble), bias = torch::randn({1, 2, 6, 6}, torch::kDouble);
  const auto whole = m->attend(x, {.bias = bias, .causal = true});
  nn::key_value_cache cache;
  m->attend(x.narrow(1, 0, 3),
            {.bias = bias.narrow(2, 0, 3).narrow(3, 0, 3), .causal = true, .cache = &cache});
  const auto y =
      m->attend(x.narrow(1, 3, 3), {.bias = bias.narrow(2, 3, 3), .causal = true, .cache = &cache});
  CHECK(distance(y, whole.narrow(1, 3, 3)) < 1e-10);
}

TEST_CASE("a cache of another sequence is filled once and read afterwards") {
  const torch::NoGradGuard no_gradient;
  torch::manual_seed(4);
  auto m = in_double<nn::multi_head_attention<of_other>>();
  const auto x = torch::randn({2, 1, 6}, torch::kDouble), other = torch::randn({2, 5, 3}, torch::kDouble);
  nn::key_value_cache cache;
  const auto y = m->attend(x, {.context = other, .cache = &cache});
  CHECK(cache.length() == 5);
  CHECK(m->attend(x, {.context = torch::zeros_like(other), .cache = &cache}).equal(y));
  CHECK(cache.length() == 5);
  cache.clear();
  CHECK(cache.empty());
  CHECK_FALSE(cache.keys().defined());
}

TEST_CASE("a cache holds what was appended, keeps gradients, and never writes into its caller's tensors") {
  torch::manual_seed(5);
  nn::key_value_cache cache;
  tensor all;
  std::vector<std::pair<tensor, tensor>> given;
  for (int i = 0; i < 9; ++i) {
    const auto k = torch::randn({2, 3, 1 + i % 3, 4});
    given.emplace_back(k, k.clone());
    cache.append(k, k * 2);
    all = all.defined() ? torch::cat({all, k}, 2) : k;
    CHECK(cache.keys().equal(all));
    CHECK(cache.values().equal(all * 2));
  }
  for (const auto& [k, before] : given) CHECK(k.equal(before));
  CHECK_THROWS_WITH_AS(cache.append(torch::zeros({1, 3, 1, 4}), torch::zeros({1, 3, 1, 4})),
                       doctest::Contains("was given [1, 3, 1, 4]"), usage_error);

  auto copy = cache;  // two continuations of one beginning
  const auto a = torch::randn({2, 3, 1, 4}), b = torch::randn({2, 3, 1, 4});
  cache.append(a, a);
  copy.append(b, b);
  CHECK(cache.keys().narrow(2, all.size(2), 1).equal(a));
  CHECK(copy.keys().narrow(2, all.size(2), 1).equal(b));

  nn::key_value_cache training;
  const auto first = torch::randn({1, 1, 2, 4}, torch::requires_grad());
  const auto second = torch::randn({1, 1, 1, 4}, torch::requires_grad());
  training.append(first, first);
  const auto early = training.keys().square().sum();
  training.append(second, second);
  (training.keys().sum() + early).backward();
  CHECK(first.grad().equal(1 + 2 * first.detach()));
  CHECK(second.grad().equal(torch::ones_like(second)));
}

TEST_CASE("a rotated score depends on the distance of the positions only") {
  torch::manual_seed(6);
  const auto q = torch::randn({1, 1, 1, 8}, torch::kDouble), k = torch::randn({1, 1, 1, 8}, torch::kDouble);
  const nn::rotary<100.0> turn;
  const auto score = [&](index_t i, index_t j) { return (turn(q, i) * turn(k, j)).sum().item<double>(); };
  CHECK(score(9, 4) == doctest::Approx(score(105, 100)));
  CHECK(std::abs(score(9, 4) - score(9, 5)) > 1e-3);
  CHECK(turn(q, 0).equal(q));
  CHECK(turn(q, 17).norm().item<double>() == doctest::Approx(q.norm().item<double>()));
  CHECK_THROWS_AS(turn(torch::zeros({1, 1, 1, 3}), 0), usage_error);
}

TEST_CASE("a learned bias gets its gradient") {
  torch::manual_seed(7);
  auto m = in_double<nn::multi_head_attention<as_t5>>();
  const auto x = torch::randn({2, 4, 6}, torch::kDouble);
  const auto bias = torch::zeros({1, 2, 4, 4}, torch::kDouble).requires_grad_();
  const auto loss = [&](const tensor& b) { return m->attend(x, {.bias = b}).square().sum(); };
  const auto gradient = torch::autograd::grad({loss(bias)}, {bias})[0];
  const auto direction = torch::randn_like(bias);
  const double step = 1e-5;
  const double numeric =
      ((loss(bias + step * direction) - loss(bias - step * direction)) / (2 * step)).item<double>();
  CHECK((gradient * direction).sum().item<double>() == doctest::Approx(numeric).epsilon(1e-6));
}

TEST_CASE("dropout works on the weights when training, and not in eval mode") {
  torch::manual_seed(8);
  nn::module<nn::multi_head_attention<{.width = 6, .inner = 8, .heads = 2, .dropout = 0.5}>> m;
  const auto x = torch::randn({2, 5, 6});
  CHECK_FALSE(m->forward(x).equal(m->forward(x)));
  m->eval();
  CHECK(m->forward(x).equal(m->forward(x)));
}

TEST_CASE("a plan adapts the children by name, and merging gives the plain layer") {
  torch::manual_seed(9);
  using plan = adapt::plan<adapt::rule<adapt::names<"q", "v">, adapt::lora<2>>>;
  using adapted = nn::multi_head_attention<scaled, plan>;
  static_assert(nn::trainable_parameters<adapted> == 2 * 2 * (6 + 8));
  auto m = in_double<adapted>();
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"q.weight", "q.bias", "q.lora_A", "q.lora_B", "k.weight", "k.bias",
                                 "v.weight", "v.bias", "v.lora_A", "v.lora_B", "o.weight", "o.bias"});
  for (auto& p : m->parameters()) {
    const torch::NoGradGuard no_gradient;
    if (p.requires_grad()) p.normal_();
  }
  const auto x = torch::randn({2, 5, 6}, torch::kDouble);
  nn::module<attention> plain = adapt::merge(m);
  CHECK(distance(plain->forward(x), m->forward(x)) < 1e-10);
  CHECK(plain->describe() == nn::module<attention>()->describe());
  torch::nn::Sequential chain(plain);
  CHECK(chain->forward(x).equal(plain->forward(x)));
}

TEST_CASE("tokens of another width are refused in words") {
  nn::module<attention> m;
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({2, 5, 7})),
                       doctest::Contains("was given tokens of shape [2, 5, 7]; it takes [batch, tokens, 6]"),
                       usage_error);
  CHECK_THROWS_AS(m->forward(torch::zeros({5, 6})), usage_error);
}

TEST_CASE("what changes the meaning of the numbers is in the description: heads, scale, rotation") {
  struct halved {
    tensor operator()(const tensor& x, index_t) const { return x / 2; }
  };
  CHECK(nn::module<attention>()->describe().starts_with(
      "multi_head_attention(heads=2){q: linear(in=6, out=8)"));
  CHECK(nn::module<nn::multi_head_attention<as_t5>>()->describe().starts_with(
      "multi_head_attention(heads=2, scaled=no){"));
  CHECK(nn::module<rotated>()->describe().starts_with(
      "multi_head_attention(heads=2, rotation=rotary(base=10000)){"));
  CHECK(nn::module<nn::multi_head_attention<scaled, nn::unplanned, halved>>()->describe().find("halved") !=
        std::string::npos);
}

TEST_CASE("extents that only the run knows give the layer that the type would fix") {
  using fixed = nn::multi_head_attention<{.width = 12, .inner = 16, .heads = 4}>;
  using loose = nn::multi_head_attention<{.heads = 4}>;
  static_assert(nn::parameters<loose> == dynamic && nn::parameters<fixed> == 4 * 12 * 16 + 3 * 16 + 12);
  torch::manual_seed(4);
  nn::module<fixed> a;
  torch::manual_seed(4);
  nn::module<loose> b(nn::attention_extents{.width = 12, .inner = 16});
  const auto x = torch::randn({2, 5, 12});
  CHECK(a->forward(x).equal(b->forward(x)));
  const auto copy = b->clone();
  CHECK(copy->parameters().front().equal(b->parameters().front()));
  CHECK(b->extents().context_width == 12);

  using crossed = nn::multi_head_attention<{.width = 12, .inner = 16, .heads = 4, .context_width = dynamic}>;
  nn::module<crossed> c(nn::attention_extents{.context_width = 7});
  CHECK(c->attend(x, {.context = torch::randn({2, 3, 7})}).sizes().vec() == std::vector<index_t>{2, 5, 12});
  CHECK(c->extents().context_width == 7);
}

TEST_CASE("attention says which extent is missing, at odds or not divisible") {
  using loose = nn::multi_head_attention<{.heads = 4}>;
  using half = nn::multi_head_attention<{.width = 12, .heads = 4}>;
  const auto make_loose = [](nn::attention_extents e) { return nn::module<loose>(e); };
  CHECK_THROWS_WITH_AS(make_loose({.width = 12}), doctest::Contains("nothing says how large \"inner\" is"),
                       usage_error);
  CHECK_THROWS_WITH_AS(make_loose({.width = 12, .inner = 15}),
                       doctest::Contains("no multiple of its 4 heads"), usage_error);
  CHECK_THROWS_WITH_AS(nn::module<half>(nn::attention_extents{.width = 8, .inner = 16}),
                       doctest::Contains("the type fixes 12"), usage_error);
}
