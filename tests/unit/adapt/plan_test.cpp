#include "fmsb/adapt/plan.hpp"  // plan, names, rule

#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/groups.hpp"       // groups
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/merge.hpp"        // merge
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning
#include "fmsb/nn/tree.hpp"            // count_parameters

#include "unit/adapt/block_support.hpp"  // transformer, stir, distance

#include <torch/optim/adam.h>   // torch::optim::Adam
#include <torch/optim/adamw.h>  // torch::optim::AdamW

#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <vector>       // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;
using test::distance, test::stir, test::transformer;

namespace {

using matched = adapt::lora<2>;
template <fixed_string... Patterns>
using adapting = transformer<plan<rule<names<Patterns...>, matched>>>;

// LoRA of rank 2 on a layer of 8 x 8 trains 32 numbers, on the head 2 * (8 + 3).
static_assert(nn::trainable_parameters<adapting<"q">> == 2 * 32);
static_assert(nn::trainable_parameters<adapting<"attention.q">> == 2 * 32);
static_assert(nn::trainable_parameters<adapting<"attention.*">> == 2 * 4 * 32);
static_assert(nn::trainable_parameters<adapting<"q", "v">> == 2 * 2 * 32);
static_assert(nn::trainable_parameters<adapting<"head">> == 22);
static_assert(nn::trainable_parameters<adapting<".head">> == 22);
static_assert(nn::trainable_parameters<adapting<".block.*.attention.q">> == 2 * 32);
static_assert(nn::trainable_parameters<adapting<".block.*.attention.*", "head">> == 2 * 4 * 32 + 22);
static_assert(nn::parameters<adapting<"q">> == nn::parameters<transformer<>> + 2 * 32);
static_assert(nn::trainable_parameters<transformer<>> == nn::parameters<transformer<>>);

// The first rule that names a layer takes it.
using in_order =
    transformer<plan<rule<names<"attention.v">, adapt::lora<1>>, rule<names<"q", "v">, matched>>>;
static_assert(nn::trainable_parameters<in_order> == 2 * (16 + 32));

using with_full = transformer<plan<rule<names<"q">, matched>, rule<names<"head">, adapt::full>,
                                   rule<names<"norm", "scale">, adapt::norm_tuning>>>;
static_assert(nn::trainable_parameters<with_full> == 2 * 32 + 27 + 2 * (16 + 8));

// Merging gives the plain type; beft on a layer without a bias one with a bias in its place.
static_assert(std::is_same_v<nn::plain_of<with_full>, transformer<>>);
using biased = transformer<plan<rule<names<"v">, adapt::beft>>>;
static_assert(nn::trainable_parameters<biased> == 2 * 8);
static_assert(nn::parameters<nn::plain_of<biased>> == nn::parameters<transformer<>> + 2 * 8);

// Names of a path, one after the other.
static_assert(adapt::detail::matches("q", "block.*.attention.q"));
static_assert(adapt::detail::matches("*.q", "attention.q"));
static_assert(!adapt::detail::matches("*.q", "q"));
static_assert(!adapt::detail::matches("q", "block.*.attention.eq"));
static_assert(!adapt::detail::matches(".attention.q", "block.*.attention.q"));
static_assert(!adapt::detail::matches("block.attention.q", "block.*.attention.q"));

template <class Model>
std::vector<std::string> training(const nn::module<Model>& m) {
  std::vector<std::string> found;
  for (const auto& item : m->named_parameters())
    if (item->requires_grad()) found.push_back(item.key());
  return found;
}

}  // namespace

TEST_CASE("what the plan names trains, and everything else is frozen and has no gradient") {
  nn::module<adapting<"attention.q", "head">> m;
  CHECK(training(m) == std::vector<std::string>{"block.0.attention.q.lora_A", "block.0.attention.q.lora_B",
                                                "block.1.attention.q.lora_A", "block.1.attention.q.lora_B",
                                                "head.lora_A", "head.lora_B"});
  stir(*m);
  m->forward(torch::randn({2, 5, 8})).square().sum().backward();
  for (const auto& item : m->named_parameters()) {
    CAPTURE(item.key());
    CHECK(item->grad().defined() == item->requires_grad());
  }
  CHECK(nn::count_parameters(*m).trainable == nn::trainable_parameters<adapting<"attention.q", "head">>);
}

TEST_CASE("an adapted model begins as its base, and merging keeps what it has become") {
  nn::module<with_full> m;
  m->to(torch::kDouble);
  const auto x = torch::randn({2, 5, 8}, torch::kDouble);
  CHECK(distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
  stir(*m);
  auto merged = adapt::merge(m);
  CHECK(distance(merged->forward(x), m->forward(x)) < 1e-12);
  CHECK(merged->named_parameters().keys() == nn::module<transformer<>>()->named_parameters().keys());
  CHECK(nn::count_parameters(*merged).trainable == nn::parameters<transformer<>>);
  // The base is kept: merging again gives the same, and neither shares with the other.
  {
    const torch::NoGradGuard quiet;
    for (auto& p : merged->parameters()) p.zero_();
  }
  CHECK(distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
}

TEST_CASE("a bias that beft added merges into the types that have one") {
  nn::module<biased> m;
  stir(*m);
  auto merged = adapt::merge(m);
  const auto x = torch::randn({2, 5, 8});
  CHECK(distance(merged->forward(x), m->forward(x)) < 1e-5);
  CHECK(merged->named_parameters().contains("block.1.attention.v.bias"));
  CHECK_FALSE(merged->named_parameters().contains("block.1.attention.q.bias"));
}

TEST_CASE("merging keeps train and eval mode and the number type") {
  nn::module<with_full> m;
  m->eval();
  m->to(torch::kDouble);
  const auto merged = adapt::merge(m);
  CHECK_FALSE(merged->is_training());
  CHECK(merged->parameters()[0].dtype() == torch::kDouble);
}

TEST_CASE("each rule is a group of the optimiser, with its own options and only what trains") {
  nn::module<with_full> m;
  const auto groups = adapt::groups(m, torch::optim::AdamWOptions(1e-3), torch::optim::AdamWOptions(1e-4),
                                    torch::optim::AdamWOptions(5e-3).weight_decay(0));
  REQUIRE(groups.size() == 3);
  const auto size = [](const auto& group) {
    index_t count = 0;
    for (const auto& p : group.params()) {
      CHECK(p.requires_grad());
      count += p.numel();
    }
    return count;
  };
  CHECK(size(groups[0]) == 2 * 32);
  CHECK(size(groups[1]) == 27);
  CHECK(size(groups[2]) == 2 * (16 + 8));
  const auto options = [&](std::size_t i) -> const torch::optim::AdamWOptions& {
    return static_cast<const torch::optim::AdamWOptions&>(groups[i].options());
  };
  CHECK(options(0).lr() == 1e-3);
  CHECK(options(1).lr() == 1e-4);
  CHECK(options(2).weight_decay() == 0);
  CHECK(adapt::groups(m, torch::optim::AdamWOptions(1e-3)).size() == 3);
}

TEST_CASE("an optimiser on the groups trains at each rule's own rate and leaves the base alone") {
  torch::manual_seed(2);
  nn::module<with_full> m;
  stir(*m);
  const auto before = adapt::merge(m);
  const auto start = m->named_parameters();
  std::vector<tensor> copies;
  for (const auto& item : start) copies.push_back(item->detach().clone());
  torch::optim::AdamW adam(adapt::groups(m, torch::optim::AdamWOptions(1e-2).weight_decay(0),
                                         torch::optim::AdamWOptions(0).weight_decay(0),
                                         torch::optim::AdamWOptions(1e-2).weight_decay(0)));
  m->forward(torch::randn({2, 5, 8})).square().sum().backward();
  adam.step();
  std::size_t i = 0;
  for (const auto& item : start) {
    CAPTURE(item.key());
    const bool moves = item->requires_grad() && !item.key().starts_with("head");
    CHECK(item->equal(copies[i++]) != moves);
  }
}

TEST_CASE("an optimiser keeps state for what trains and for nothing else") {
  nn::module<adapting<"q", "v">> m;
  torch::optim::Adam adam(adapt::groups(m, torch::optim::AdamOptions(1e-3)));
  m->forward(torch::randn({2, 5, 8})).square().sum().backward();
  adam.step();
  index_t numbers = 0;
  for (const auto& [key, state] : adam.state()) {
    const auto& moments = static_cast<const torch::optim::AdamParamState&>(*state);
    numbers += moments.exp_avg().numel() + moments.exp_avg_sq().numel();
  }
  CHECK(numbers == 2 * nn::trainable_parameters<adapting<"q", "v">>);
}
