#include "fmsb/models/chronos2/groups.hpp"  // series_groups

#include "fmsb/nn/attention.hpp"  // multi_head_attention

#include "support/property.hpp"

#include <ATen/ops/rand.h>     // at::rand
#include <ATen/ops/randint.h>  // at::randint
#include <ATen/ops/randn.h>    // at::randn

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using attention = nn::multi_head_attention<{
    .width = 6, .inner = 8, .heads = 2, .scaled = false, .bias = nn::bias_term::no}>;

/// Every series on every other one, at each position, with what is not of its group or not seen hidden.
tensor all_on_all(const attention& m, const tensor& x, const tensor& ids, const tensor& seen) {
  const auto together = ids.unsqueeze(1) == ids.unsqueeze(0);                     // [query, key]
  const auto visible = together.unsqueeze(0).logical_and(seen.t().unsqueeze(1));  // [tokens, query, key]
  const auto bias = at::zeros(visible.sizes(), x.options()).masked_fill(visible.logical_not(), -3e38);
  return m.attend(x.transpose(0, 1).contiguous(), {.bias = bias.unsqueeze(1)}).transpose(0, 1);
}

}  // namespace

TEST_CASE("attention within groups is attention of all on all, with the others hidden") {
  CHECK(test::holds("groups", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const auto batch = *rc::gen::inRange<index_t>(1, 9), tokens = *rc::gen::inRange<index_t>(1, 5),
               groups = *rc::gen::inRange<index_t>(1, 6);
    nn::module<attention> m;
    m->to(at::kDouble);
    const auto x = at::randn({batch, tokens, 6}, at::kDouble);
    const auto ids = at::randint(-2, groups - 2, {batch}, at::kLong);
    const auto seen = at::rand({batch, tokens}) < *rc::gen::element(.3, .8, 1.1);
    const models::series_groups by_group(ids, seen, x);
    for (const bool records : {true, false}) {
      const torch::AutoGradMode mode(records);
      const auto own = by_group.attend(*m, x), twin = all_on_all(*m, x, ids, seen);
      RC_ASSERT(own.sizes() == x.sizes());
      // What is hidden gets something, and nobody sees it.
      RC_ASSERT((own - twin).masked_fill(seen.logical_not().unsqueeze(2), 0).abs().max().item<double>() <
                1e-12);
      const auto alone = models::series_groups({}, seen, x).attend(*m, x);
      const auto numbered = models::series_groups(at::arange(batch, at::kLong), seen, x).attend(*m, x);
      RC_ASSERT((alone - numbered).abs().max().item<double>() < 1e-12);
    }
  }));
}

TEST_CASE("queries and keys of a series by itself get a gradient of zero") {
  torch::manual_seed(2);
  nn::module<attention> m;
  const auto x = at::randn({3, 4, 6});
  models::series_groups({}, at::ones({3, 4}, at::kBool), x).attend(*m, x).square().sum().backward();
  CHECK(m->at<"q">().weight.grad().abs().max().item<double>() < 1e-6);
  CHECK(m->at<"k">().weight.grad().abs().max().item<double>() < 1e-6);
  CHECK(m->at<"v">().weight.grad().abs().max().item<double>() > 1e-3);
}
