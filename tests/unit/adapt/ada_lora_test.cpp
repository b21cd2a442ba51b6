#include "fmsb/adapt/ada_lora.hpp"  // ada_lora, rank_allocator, orthogonality

#include "fmsb/adapt/merge.hpp"       // merge
#include "fmsb/adapt/plan.hpp"        // plan
#include "fmsb/data/safetensors.hpp"  // open_safetensors
#include "fmsb/nn/linear.hpp"         // linear
#include "fmsb/nn/tensor_file.hpp"    // tensor_of

#include "support/property.hpp"          // holds
#include "unit/adapt/block_support.hpp"  // cloned, distance, stir

#include <algorithm>   // std::sort
#include <cmath>       // std::abs
#include <filesystem>  // std::filesystem::path
#include <map>         // std::map
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::distance, test::stir;

namespace {

using layer = nn::with<nn::linear<6, 5>, adapt::ada_lora<4>>;
static_assert(nn::trainable_parameters<layer> == 4 * (6 + 5 + 1));

struct three : nn::composite<nn::child<"a", layer>, nn::child<"b", layer>, nn::child<"c", layer>> {};

index_t total_rank(const adapt::rank_allocator& allocator) {
  index_t sum = 0;
  for (const auto& [name, rank] : allocator.ranks()) sum += rank;
  return sum;
}

/// Every gradient drawn, and a small step along it.
void drawn_step(torch::nn::Module& m) {
  const torch::NoGradGuard quiet;
  for (auto& p : m.parameters())
    if (p.requires_grad()) {
      p.mutable_grad() = torch::randn_like(p);
      p.sub_(p.grad(), 0.05);
    }
}

}  // namespace

TEST_CASE("ada_lora adds B (E o A) x with the scale of its first rank, begins as its base, and merges") {
  nn::module<layer> m;
  m->to(torch::kDouble);
  const auto x = torch::randn({7, 6}, torch::kDouble);
  CHECK(m->forward(x).equal(at::linear(x, m->weight, m->bias)));
  stir(*m);
  const auto twin = at::linear(x, m->weight, m->bias) +
                    at::matmul(at::matmul(x, (m->lora_A * m->lora_E).t()), m->lora_B.t()) * 8 / (4 + 1e-5);
  CHECK(distance(m->forward(x), twin) < 1e-12);
  CHECK(distance(adapt::merge(m)->forward(x), twin) < 1e-12);
  CHECK(test::cloned(m)->forward(x).equal(m->forward(x)));
  auto copy = test::cloned(m);
  CHECK(copy->lora_E.is_same(copy->named_parameters()["lora_E"]));
  CHECK_FALSE(copy->lora_E.is_same(m->lora_E));
}

TEST_CASE("the budget falls from the first ranks to the target as a cube, and never rises") {
  CHECK(test::holds("budget", [] {
    const auto pick = [](int from, int to) { return *rc::gen::inRange<index_t>(from, to); };
    const adapt::rank_schedule s{.warm_up = pick(0, 10), .final_steps = pick(0, 10), .total = pick(21, 200)};
    const index_t start = pick(20, 100), target = pick(0, 20);
    RC_ASSERT(s.budget(0, start, target) == start);
    RC_ASSERT(s.budget(s.warm_up, start, target) == start);
    RC_ASSERT(s.budget(s.total - s.final_steps, start, target) == target);
    RC_ASSERT(s.budget(s.total, start, target) == target);
    for (index_t t = 1; t <= s.total; ++t) {
      RC_ASSERT(s.budget(t, start, target) <= s.budget(t - 1, start, target));
      RC_ASSERT(s.budget(t, start, target) >= target);
    }
  }));
  const adapt::rank_schedule half{.total = 100};
  CHECK(half.budget(50, 100, 20) == 30);  // 80 / 8 + 20
}

TEST_CASE("the allocator ends at the target over all layers, whatever the gradients") {
  CHECK(test::holds("allocation", [](std::uint64_t seed) {
    torch::manual_seed(seed);
    nn::module<three> m;
    stir(*m);
    const index_t target = *rc::gen::inRange<index_t>(0, 5);
    adapt::rank_allocator allocator(
        *m, {.target_rank = target, .warm_up = 2, .final_steps = 3, .every = 2, .total = 12});
    index_t before = 12;
    for (index_t t = 0; t < 12; ++t) {
      drawn_step(*m);
      if (allocator.step(t)) RC_ASSERT(total_rank(allocator) <= before);
      before = total_rank(allocator);
    }
    RC_ASSERT(total_rank(allocator) == 3 * target);
    index_t alive = 0;
    for (const auto& [name, part] : adapt::ada_lora_layers(*m))
      alive += part->lora_E.count_nonzero().item<index_t>();
    RC_ASSERT(alive == 3 * target);
  }));
}

TEST_CASE("what the allocator keeps are the directions of the highest importance, by the paper's equations") {
  torch::manual_seed(4);
  nn::module<three> m;
  stir(*m);
  const double b1 = 0.6, b2 = 0.3;
  adapt::rank_allocator allocator(
      *m, {.target_rank = 2, .total = 6, .sensitivity_decay = b1, .uncertainty_decay = b2});
  struct means {
    double sensitivity = 0, uncertainty = 0;
  };
  std::map<std::pair<std::string, index_t>, means> running;  // of every number
  for (index_t t = 0; t < 6; ++t) {
    drawn_step(*m);
    for (const auto& item : m->named_parameters()) {
      if (!item->requires_grad()) continue;
      const auto w = item->flatten(), g = item->grad().flatten();
      for (index_t i = 0; i < w.numel(); ++i) {
        auto& mean = running[{item.key(), i}];
        const double now = std::abs(w[i].item<double>() * g[i].item<double>());
        mean.sensitivity = b1 * mean.sensitivity + (1 - b1) * now;
        mean.uncertainty = b2 * mean.uncertainty + (1 - b2) * std::abs(now - mean.sensitivity);
      }
    }
    allocator.step(t);
  }
  const auto importance = [&](const std::string& name, index_t i) {
    const auto& mean = running.at({name, i});
    return mean.sensitivity * mean.uncertainty;
  };
  // The last decision is made on six observations; directions are four to a layer, A is 4 x 6 and B 5 x 4.
  std::vector<std::pair<double, bool>> directions;
  for (const std::string name : {"a", "b", "c"})
    for (index_t r = 0; r < 4; ++r) {
      double score = importance(name + ".lora_E", r);
      for (index_t i = 0; i < 6; ++i) score += importance(name + ".lora_A", 6 * r + i) / 6;
      for (index_t o = 0; o < 5; ++o) score += importance(name + ".lora_B", 4 * o + r) / 5;
      directions.emplace_back(score, m->named_parameters()[name + ".lora_E"][r].item<double>() != 0);
    }
  std::sort(directions.rbegin(), directions.rend());
  const auto budget = static_cast<std::size_t>(total_rank(allocator));
  CHECK(budget == static_cast<std::size_t>(adapt::rank_schedule{.total = 6}.budget(5, 12, 6)));
  for (std::size_t i = 0; i < directions.size(); ++i) CHECK(directions[i].second == (i < budget));
}

TEST_CASE("the allocator takes away what Python's peft takes away, step by step") {
  const auto file = data::open_safetensors(std::filesystem::path(FMSB_SOURCE_DIR) /
                                           "tests/parity/peft/fixtures/allocator.safetensors");
  nn::module<three> m;
  const auto each = [&](auto&& visit) {
    for (const auto& [name, part] : adapt::ada_lora_layers(*m)) {
      visit(name + ".lora_A", part->lora_A);
      visit(name + ".lora_B", part->lora_B);
      visit(name + ".lora_E", part->lora_E);
    }
  };
  const torch::NoGradGuard quiet;
  each([&](const std::string& name, tensor& p) { p.copy_(nn::tensor_of(file.at("start." + name))); });
  CHECK(distance(adapt::orthogonality(*m), nn::tensor_of(file.at("penalty"))) < 1e-6);

  adapt::rank_allocator allocator(
      *m, {.target_rank = 2, .warm_up = 2, .final_steps = 3, .every = 2, .total = 14});
  for (index_t t = 0; t < 14; ++t) {
    CAPTURE(t);
    const auto at = std::to_string(t);
    each([&](const std::string& name, tensor& p) {
      p.mutable_grad() = nn::tensor_of(file.at(at + ".gradient." + name));
      p.sub_(p.grad(), 0.05);
    });
    allocator.step(t);
    for (const auto& [name, part] : adapt::ada_lora_layers(*m)) {
      const auto wanted = nn::tensor_of(file.at(at + ".after." + name + ".lora_E"));
      CHECK((part->lora_E == 0).equal(wanted == 0));
      CHECK((part->lora_E - wanted).abs().max().item<double>() < 1e-6);
    }
  }
  CHECK(total_rank(allocator) == 6);
}

TEST_CASE("the penalty is zero for orthonormal directions and has a gradient for others") {
  nn::module<layer> m;
  {
    const torch::NoGradGuard quiet;
    m->lora_A.copy_(at::eye(4, 6));
    m->lora_B.copy_(at::eye(5, 4));
  }
  CHECK(adapt::orthogonality(*m).item<double>() == 0);
  stir(*m);
  adapt::orthogonality(*m).backward();
  CHECK(m->lora_A.grad().defined());
  CHECK(m->lora_B.grad().defined());
  CHECK_FALSE(m->lora_E.grad().defined());
}

TEST_CASE("the allocator refuses models and schedules that leave it nothing to do") {
  nn::module<three> m;
  nn::module<nn::linear<3, 4>> plain;
  CHECK_THROWS_WITH_AS(adapt::rank_allocator(*plain, {.total = 10}),
                       doctest::Contains("no layer with ada_lora"), usage_error);
  CHECK_THROWS_WITH_AS(adapt::rank_allocator(*m, {.target_rank = 5, .total = 10}),
                       doctest::Contains("start with 12 in all"), usage_error);
  CHECK_THROWS_WITH_AS(
      adapt::rank_allocator(*m, {.target_rank = 2, .warm_up = 6, .final_steps = 4, .total = 10}),
      doctest::Contains("leave nothing of a total of 10"), usage_error);
  adapt::rank_allocator allocator(*m, {.target_rank = 2, .total = 10});
  CHECK_THROWS_WITH_AS(allocator.step(0), doctest::Contains("has no gradient"), usage_error);
}
