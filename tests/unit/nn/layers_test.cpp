#include "fmsb/adapt/lora.hpp"    // lora
#include "fmsb/adapt/merge.hpp"   // merge
#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/nn/dropout.hpp"    // dropout
#include "fmsb/nn/embedding.hpp"  // embedding
#include "fmsb/nn/linear.hpp"     // linear
#include "fmsb/nn/tree.hpp"       // count_parameters

#include "support/property.hpp"

#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad
#include <torch/nn/modules/embedding.h>    // torch::nn::Embedding
#include <torch/nn/modules/linear.h>       // torch::nn::Linear

#include <sstream>  // std::stringstream
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

double distance(const tensor& a, const tensor& b) {
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e9;
}

}  // namespace

TEST_CASE("a linear layer is LibTorch's: names, shapes, starting values and outputs") {
  torch::manual_seed(1);
  nn::module<nn::linear<5, 3>> ours;
  torch::manual_seed(1);
  torch::nn::Linear theirs(5, 3);
  CHECK(ours->named_parameters().keys() == theirs->named_parameters().keys());
  CHECK(distance(ours->weight, theirs->weight) < 1e-6);
  CHECK(distance(ours->bias, theirs->bias) < 1e-6);
  const auto x = torch::randn({2, 4, 5});
  CHECK(distance(ours->forward(x), theirs->forward(x)) < 1e-6);
}

TEST_CASE("a linear layer refuses an input of another width, and extents that nobody gives") {
  nn::module<nn::linear<5, 3>> m;
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({2, 4})),
                       doctest::Contains("linear(in=5, out=3) was given an input of shape [2, 4]"),
                       usage_error);
  CHECK_THROWS_WITH_AS((nn::module<nn::linear<5, dynamic>>(nn::linear_extents{.in = 4, .out = 2})),
                       doctest::Contains("the type fixes 5"), usage_error);
}

TEST_CASE("an embedding is LibTorch's: names, shapes, starting values and outputs") {
  torch::manual_seed(2);
  nn::module<nn::embedding<7, 3, 2>> ours;
  torch::manual_seed(2);
  torch::nn::Embedding theirs(torch::nn::EmbeddingOptions(7, 3).padding_idx(2));
  CHECK(ours->named_parameters().keys() == theirs->named_parameters().keys());
  CHECK(ours->weight.equal(theirs->weight));
  CHECK(ours->weight[2].abs().max().item<double>() == 0);
  const auto tokens = torch::randint(0, 7, {2, 5});
  CHECK(ours->forward(tokens).equal(theirs->forward(tokens)));
  CHECK(ours->forward(tokens.to(torch::kInt)).equal(theirs->forward(tokens)));
}

TEST_CASE("an embedding's output is the table's row, and the padding token trains nothing") {
  CHECK(test::holds("a token's output is its row; its gradient counts its tokens", [] {
    const auto length = *rc::gen::inRange<index_t>(1, 20);
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    nn::module<nn::embedding<6, 4, 3>> m;
    const auto tokens = torch::randint(0, 6, {length});
    const auto y = m->forward(tokens);
    for (index_t t = 0; t < length; ++t) RC_ASSERT(y[t].equal(m->weight[tokens[t].item<index_t>()]));
    y.sum().backward();
    for (index_t row = 0; row < 6; ++row) {
      const auto count = (tokens == row).sum().item<double>();
      RC_ASSERT(m->weight.grad()[row][0].item<double>() == (row == 3 ? 0 : count));
    }
  }));
}

TEST_CASE("an embedding says what is wrong with its tokens and extents") {
  nn::module<nn::embedding<7, 3>> m;
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({2})), doctest::Contains("tokens of the type Float"),
                       usage_error);
  CHECK_THROWS(m->forward(torch::full({2}, 7, torch::kLong)));
  CHECK_THROWS_WITH_AS((nn::module<nn::embedding<dynamic, 3, 7>>(nn::embedding_extents{.count = 7})),
                       doctest::Contains("the padding index is 7"), usage_error);
}

TEST_CASE("LoRA on an embedding has peft's names and equals its merged table") {
  using adapted = nn::with<nn::embedding<7, 5, 1>, adapt::lora<2, {.alpha = 3}>>;
  static_assert(nn::trainable_parameters<adapted> == 2 * (7 + 5));
  nn::module<adapted> m;
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"weight", "lora_embedding_A", "lora_embedding_B"});
  CHECK(m->lora_A.sizes() == std::vector<index_t>{2, 7});
  CHECK(m->lora_B.sizes() == std::vector<index_t>{5, 2});
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<adapted>, nn::trainable_parameters<adapted>});
  const auto tokens = torch::randint(0, 7, {3, 4});
  CHECK(m->forward(tokens).equal(at::embedding(m->weight, tokens)));  // starts as its base

  m->to(torch::kDouble);
  torch::manual_seed(3);
  for (auto& p : m->parameters()) {
    const torch::NoGradGuard no_gradient;
    if (p.requires_grad()) p.normal_();
  }
  auto plain = adapt::merge(m);
  CHECK(distance(m->forward(tokens), plain->forward(tokens)) < 1e-10);
  CHECK(distance(plain->weight, m->weight + 1.5 * at::mm(m->lora_B, m->lora_A).t()) < 1e-12);
  m->forward(tokens).square().sum().backward();
  CHECK_FALSE(m->weight.grad().defined());
  CHECK(m->lora_A.grad().select(1, 1).abs().max().item<double>() == 0);  // the padding token
  CHECK(m->lora_B.grad().abs().max().item<double>() > 0);
}

TEST_CASE("LoRA on a linear layer equals its merged layer in outputs and input gradients") {
  CHECK(test::holds("adapted and merged agree", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    nn::module<nn::with<nn::linear<6, 4>, adapt::lora<2, {.alpha = 3}>>> m;
    m->to(torch::kDouble);
    for (auto& p : m->parameters()) {
      const torch::NoGradGuard no_gradient;
      if (p.requires_grad()) p.normal_();
    }
    auto plain = adapt::merge(m);
    const auto x = torch::randn({3, 5, 6}, torch::kDouble).requires_grad_();
    const auto y = m->forward(x), z = plain->forward(x), weights = torch::randn_like(y);
    RC_ASSERT(distance(y, z) < 1e-10);
    RC_ASSERT(distance(torch::autograd::grad({y}, {x}, {weights})[0],
                       torch::autograd::grad({z}, {x}, {weights})[0]) < 1e-10);
  }));
}

TEST_CASE("dropout keeps the mean when training and is the identity in eval mode") {
  torch::manual_seed(4);
  nn::module<nn::dropout<0.25>> m;
  const auto x = torch::ones({100000});
  const auto y = m->forward(x);
  CHECK(y.mean().item<double>() == doctest::Approx(1).epsilon(0.02));
  CHECK((y == 0).to(torch::kDouble).mean().item<double>() == doctest::Approx(0.25).epsilon(0.03));
  CHECK(((y == 0) | (y - 4.0 / 3).abs().lt(1e-6)).all().item<bool>());
  m->eval();
  CHECK(m->forward(x).equal(x));
  CHECK(m->named_parameters().is_empty());
  CHECK(m->describe() == "dropout(rate=0.25)");
}

TEST_CASE("a dropout's rate comes from the type or from the run") {
  nn::module<nn::dropout<>> m(0.5);
  CHECK(m->rate() == 0.5);
  CHECK(dynamic_cast<nn::dropout<>&>(*m->clone()).rate() == 0.5);
  CHECK_THROWS_WITH_AS((nn::module<nn::dropout<>>(1.0)), doctest::Contains("the rate was given as 1"),
                       usage_error);
  CHECK_THROWS_WITH_AS((nn::module<nn::dropout<0.5>>(0.25)), doctest::Contains("the type fixes 0.5"),
                       usage_error);
}
