#include "fmsb/adapt/bank.hpp"  // bank

#include "fmsb/adapt/beft.hpp"   // beft
#include "fmsb/adapt/ia3.hpp"    // ia3
#include "fmsb/adapt/lora.hpp"   // lora
#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/nn/conv.hpp"      // conv1d
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "support/property.hpp"          // holds
#include "unit/adapt/block_support.hpp"  // cloned, distance, stir, transformer

#include <cmath>        // std::remainder
#include <sstream>      // std::stringstream
#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <vector>       // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::cloned, test::distance;

namespace {

using base = nn::linear<6, 4>;
using banked = nn::with<base, adapt::bank<adapt::lora<2>>>;

static_assert(std::is_same_v<nn::plain_of<banked>, base>);
static_assert(nn::trainable_parameters<banked> == dynamic);

/// Every number of every adapter drawn, active or not.
template <class Layer>
void fill(Layer& layer) {
  const torch::NoGradGuard quiet;
  for (const auto& name : layer.names())
    for (auto& p : layer.named(name).parameters()) p.normal_();
}

template <class Layer>
nn::module<Layer> with_three() {
  nn::module<Layer> m;
  for (const char* name : {"a", "b", "c"}) m->add(name);
  fill(*m);
  m->to(torch::kDouble);
  return m;
}

/// The sum of the weighted deltas, by hand.
template <class Layer>
tensor twin(const nn::module<Layer>& m, const tensor& x, const adapt::mixture& weights) {
  auto y = at::linear(x, m->weight, m->bias);
  for (const auto& [name, weight] : weights) {
    const auto& a = m->named(name);
    y = y + at::linear(at::linear(x, a.lora_A), a.lora_B) * weight;
  }
  return y;
}

}  // namespace

TEST_CASE("a bank holds its adapters under their names and its base once") {
  nn::module<banked> m;
  m->add("vitals");
  m->add("labs");
  CHECK(m->names() == std::vector<std::string>{"vitals", "labs"});
  CHECK(m->named_parameters().keys() == std::vector<std::string>{"weight", "bias", "bank.vitals.lora_A",
                                                                 "bank.vitals.lora_B", "bank.labs.lora_A",
                                                                 "bank.labs.lora_B"});
  CHECK(m->named("labs").weight.is_same(m->weight));
  CHECK(m->describe() == "linear(in=6, out=4) + bank of lora(rank=2, alpha=2) shelf(vitals, labs)");
  const auto x = torch::randn({3, 6});
  CHECK(m->forward(x).equal(at::linear(x, m->weight, m->bias)));  // nothing is active
}

TEST_CASE("only what is active trains") {
  nn::module<banked> m;
  m->add("a");
  m->add("b");
  CHECK(nn::count_parameters(*m).trainable == 0);
  m->activate("b");
  CHECK(nn::count_parameters(*m).trainable == 2 * 10);
  CHECK(m->named_parameters()["bank.b.lora_A"].requires_grad());
  m->activate({{"a", 0.5}, {"b", 2}});
  CHECK(nn::count_parameters(*m).trainable == 2 * 2 * 10);
  m->forward(torch::randn({3, 6})).sum().backward();
  CHECK(m->named("a").lora_B.grad().defined());
  CHECK_FALSE(m->weight.requires_grad());
}

TEST_CASE("a combination is the base and the sum of the weighted deltas, and merges as it runs") {
  CHECK(test::holds("combination", [](double u, double v) {
    const adapt::mixture weights{{"c", std::remainder(u, 3)}, {"a", std::remainder(v, 3)}};
    auto m = with_three<banked>();
    m->activate(weights);
    const auto x = torch::randn({5, 6}, torch::kDouble);
    RC_ASSERT(distance(m->forward(x), twin(m, x, weights)) < 1e-12);
    RC_ASSERT(distance(adapt::merge(m)->forward(x), twin(m, x, weights)) < 1e-12);
  }));
}

TEST_CASE("one adapter alone is that adapter, to the last bit") {
  auto m = with_three<banked>();
  m->activate("b");
  nn::module<nn::with<base, adapt::lora<2>>> single;
  single->to(torch::kDouble);
  {
    const torch::NoGradGuard quiet;
    single->weight.copy_(m->weight);
    single->bias.copy_(m->bias);
    single->lora_A.copy_(m->named("b").lora_A);
    single->lora_B.copy_(m->named("b").lora_B);
  }
  const auto x = torch::randn({5, 6}, torch::kDouble);
  CHECK(m->forward(x).equal(single->forward(x)));
}

TEST_CASE("switching back gives the outputs that were there") {
  auto m = with_three<banked>();
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto before = m->forward(x);
  m->activate("a");
  const auto one = m->forward(x);
  m->activate({{"a", 1}, {"b", -2}});
  m->forward(x);
  m->activate("a");
  CHECK(m->forward(x).equal(one));
  m->activate(adapt::mixture{});
  CHECK(m->forward(x).equal(before));
}

TEST_CASE("a clone of a bank has adapters and a base of its own") {
  auto m = with_three<banked>();
  m->activate({{"a", 0.5}, {"b", 2}});
  auto copy = cloned(m);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto y = m->forward(x);
  CHECK(copy->forward(x).equal(y));
  CHECK(copy->named("a").weight.is_same(copy->weight));
  {
    const torch::NoGradGuard quiet;
    for (auto& p : m->parameters()) p.zero_();
  }
  CHECK(copy->forward(x).equal(y));
  copy->add("d");
  CHECK(copy->names().size() == 4);
  CHECK(m->names().size() == 3);
}

TEST_CASE("a bank goes through a file, into a bank of the same names") {
  auto m = with_three<banked>();
  std::stringstream file;
  torch::save(m, file);
  nn::module<banked> other;
  CHECK_THROWS_AS(torch::load(other, file), data_error);
  for (const char* name : {"a", "b", "c"}) other->add(name);
  file.clear();
  file.seekg(0);
  other->to(torch::kDouble);
  torch::load(other, file);
  m->activate({{"a", 1}, {"c", 3}});
  other->activate({{"a", 1}, {"c", 3}});
  const auto x = torch::randn({5, 6}, torch::kDouble);
  CHECK(other->forward(x).equal(m->forward(x)));
}

TEST_CASE("an adapter that is removed is gone from the names, the parameters and the sum") {
  auto m = with_three<banked>();
  m->activate({{"a", 1}, {"b", 1}});
  m->remove("a");
  CHECK(m->names() == std::vector<std::string>{"b", "c"});
  CHECK_FALSE(m->named_parameters().contains("bank.a.lora_A"));
  const auto x = torch::randn({5, 6}, torch::kDouble);
  CHECK(distance(m->forward(x), twin(m, x, {{"b", 1}})) < 1e-12);
  m->add("a");
  CHECK(m->names() == std::vector<std::string>{"b", "c", "a"});
  CHECK(m->named("a").lora_A.dtype() == torch::kDouble);
}

TEST_CASE("banks hold adapters of other kinds, on convolutions and without a bias") {
  const auto check = []<class Layer>(nn::module<Layer> m, at::IntArrayRef input) {
    m->activate({{"a", 0.5}, {"c", -1.5}});
    const auto x = torch::randn(input, torch::kDouble);
    CHECK(distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
    CHECK(distance(cloned(m)->forward(x), m->forward(x)) < 1e-15);
  };
  check(with_three<nn::with<nn::linear<6, 4, nn::bias_term::no>, adapt::bank<adapt::beft>>>(), {5, 6});
  check(with_three<nn::with<base, adapt::bank<adapt::ia3<>>, adapt::beft>>(), {5, 6});
  check(with_three<
            nn::with<nn::conv1d<4, 6, 3, nn::conv_options{.dilation = 2}>, adapt::bank<adapt::lora<2>>>>(),
        {2, 4, 9});
}

TEST_CASE("all banks of a model are switched together") {
  using plan = adapt::plan<adapt::rule<adapt::names<"q", "v">, adapt::bank<adapt::lora<2>>>>;
  nn::module<test::transformer<plan>> m;
  const auto x = torch::randn({2, 5, 8});
  const auto start = m->forward(x);
  std::size_t banks = 0;
  adapt::for_each_bank(*m, [&](adapt::any_bank& b) {
    b.add("vitals");
    b.activate("vitals");
    ++banks;
  });
  CHECK(banks == 4);
  test::stir(*m);
  CHECK(distance(m->forward(x), start) > 1e-3);
  CHECK(distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-5);
  adapt::for_each_bank(*m, [](adapt::any_bank& b) { b.activate(adapt::mixture{}); });
  CHECK(m->forward(x).equal(start));
}

TEST_CASE("a bank refuses names that it does not have, or has, with a sentence") {
  nn::module<banked> m;
  CHECK_THROWS_WITH_AS(m->activate("a"), doctest::Contains("there is no adapter \"a\" here; there are none"),
                       usage_error);
  m->add("a");
  CHECK_THROWS_WITH_AS(m->add("a"), doctest::Contains("there is an adapter \"a\" already"), usage_error);
  CHECK_THROWS_WITH_AS(m->add("a.b"), doctest::Contains("no dot"), usage_error);
  CHECK_THROWS_WITH_AS(m->remove("b"), doctest::Contains("there are \"a\""), usage_error);
  CHECK_THROWS_WITH_AS(m->activate({{"a", 1}, {"a", 2}}), doctest::Contains("stands twice"), usage_error);
}
