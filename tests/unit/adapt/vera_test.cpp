#include "fmsb/adapt/vera.hpp"  // vera

#include "fmsb/adapt/lora.hpp"   // lora: stacked on it
#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/nn/linear.hpp"    // linear
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "twin.hpp"  // apart, from_differences

#include <cmath>   // std::sqrt
#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

template <adapt::vera_options Options = {}, nn::bias_term Bias = nn::bias_term::yes>
using adapted = nn::with<nn::linear<6, 5, Bias>, adapt::vera<4, Options>>;
constexpr adapt::vera_options shared{.max_in = 9, .max_out = 8, .key = 3};

static_assert(nn::trainable_parameters<adapted<>> == 5 + 4);
static_assert(nn::parameters<adapted<>> == 35 + 9);
static_assert(nn::trainable_parameters<nn::with<nn::linear<256, 256>, adapt::vera<256>>> == 512);

template <class T>
tensor plain(const T& m, const tensor& x) {
  const auto y = at::linear(at::linear(x, m.shared_A()) * m.vera_lambda_d, m.shared_B()) * m.vera_lambda_b;
  const auto base = at::linear(x, m.weight);
  return m.bias.defined() ? y + base + m.bias : y + base;
}

template <class T>
void require_plain() {
  torch::manual_seed(5);
  nn::module<T> m;
  test::draw_adapters(m);
  for (const auto& x : test::inputs_of(6)) {
    CHECK(test::apart(
              m, [&](const tensor& v) { return plain(*m, v); }, x) == "");
    CHECK(test::distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
  }
  CHECK(test::from_differences(m, test::inputs_of(6)[0]) < 1e-6);
}

}  // namespace

TEST_CASE("VeRA is W x + b + lambda_b o (B (lambda_d o (A x))), with the gradients of stock operators") {
  require_plain<adapted<>>();
  require_plain<adapted<shared>>();
  require_plain<adapted<shared, nn::bias_term::no>>();
}

TEST_CASE("in float, rows few and many give what stock operators give, of slices of wider matrices, too") {
  torch::manual_seed(6);
  using wide = nn::with<nn::linear<70, 45>, adapt::vera<33, {.max_in = 90, .max_out = 83}>>;
  nn::module<wide> m;
  test::draw_adapters(m);
  m->to(torch::kFloat);
  for (const index_t rows : {1, 5, 32, 64, 300}) {
    CAPTURE(rows);
    const auto x = torch::randn({rows, 70}, torch::requires_grad());
    const auto wanted =
        torch::autograd::grad({plain(*m, x).square().sum()}, {x, m->vera_lambda_b, m->vera_lambda_d});
    const auto y = m->forward(x);
    CHECK(test::distance(y, plain(*m, x)) < 1e-5);
    const auto found = torch::autograd::grad({y.square().sum()}, {x, m->vera_lambda_b, m->vera_lambda_d});
    for (std::size_t i = 0; i < 3; ++i) CHECK(test::distance(found[i], wanted[i]) < 1e-5);
  }
  CHECK(m->forward(torch::randn({0, 70})).sizes() == at::IntArrayRef{0, 45});
}

TEST_CASE("A and B are drawn from one CPU generator, A first, Kaiming uniform in their columns") {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{3});
  const double a_bound = std::sqrt(2.0) * std::sqrt(3.0) / std::sqrt(9.0),
               b_bound = std::sqrt(2.0) * std::sqrt(3.0) / std::sqrt(4.0);
  const auto a = at::empty({4, 9}).uniform_(-a_bound, a_bound, generator);
  const auto b = at::empty({8, 4}).uniform_(-b_bound, b_bound, generator);
  nn::module<adapted<shared>> m;
  CHECK(test::distance(m->shared_A(), a.narrow(1, 0, 6)) < 1e-7);
  CHECK(test::distance(m->shared_B(), b.narrow(0, 0, 5)) < 1e-7);
}

TEST_CASE("layers of equal options share one copy of A and B, which is no parameter") {
  nn::module<adapted<shared>> m;
  nn::module<nn::with<nn::linear<9, 2>, adapt::vera<4, shared>>> other;
  nn::module<adapted<>> alone;
  CHECK((m->shared_A().data_ptr() == other->shared_A().data_ptr()));
  CHECK((m->shared_B().data_ptr() == other->shared_B().data_ptr()));
  CHECK((m->shared_A().data_ptr() != alone->shared_A().data_ptr()));
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"weight", "bias", "vera_lambda_b", "vera_lambda_d"});
  CHECK(m->named_buffers().is_empty());
  CHECK((test::cloned(m)->shared_A().data_ptr() == m->shared_A().data_ptr()));
  m->to(torch::kDouble);
  CHECK((m->shared_A().scalar_type() == at::kDouble));
  CHECK((other->shared_A().scalar_type() == at::kFloat));
}

TEST_CASE("VeRA begins as its base, which is frozen") {
  nn::module<adapted<>> m;
  auto x = at::randn({4, 6}).requires_grad_();
  CHECK(m->forward(x).equal(at::linear(x, m->weight, m->bias)));
  CHECK(m->vera_lambda_d.equal(at::zeros({4}).fill_(0.1)));
  m->forward(x).sum().backward();
  CHECK_FALSE(m->weight.grad().defined());
  CHECK(m->vera_lambda_b.grad().abs().sum().item<double>() > 0);
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<adapted<>>, nn::trainable_parameters<adapted<>>});
}

TEST_CASE("VeRA stacks with other adapters, and dropout stands in its branch") {
  nn::module<nn::with<nn::linear<6, 5>, adapt::lora<2>, adapt::vera<4>>> on_lora;
  test::draw_adapters(on_lora);
  const auto x = test::inputs_of(6)[1];
  CHECK(test::distance(adapt::merge(on_lora)->forward(x), on_lora->forward(x)) < 1e-12);
  nn::module<adapted<{.dropout = 0.5}>> m;
  test::draw_adapters(m);
  CHECK(test::distance(m->forward(x), m->forward(x)) > 1e-3);
  m->eval();
  CHECK(test::distance(m->forward(x), plain(*m, x)) < 1e-12);
}

TEST_CASE("a layer of dynamic extents that is wider than the shared matrices is refused") {
  using loose = nn::with<nn::linear<dynamic, dynamic>, adapt::vera<4, shared>>;
  CHECK_THROWS_WITH_AS(nn::module<loose>(nn::linear_extents{.in = 10, .out = 8}),
                       "linear(in=10, out=8) is wider than the matrices that vera(rank=4, max_in=9, "
                       "max_out=8, key=3) shares. Set max_in and max_out to the widest input and output of "
                       "all its layers.",
                       usage_error);
  CHECK(nn::module<loose>(nn::linear_extents{.in = 9, .out = 8})->vera_lambda_b.numel() == 8);
}
