#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/bitfit.hpp"       // bitfit
#include "fmsb/adapt/ia3.hpp"          // ia3
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/merge.hpp"        // merge
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning, start_from_base
#include "fmsb/nn/conv.hpp"            // conv1d, conv2d
#include "fmsb/nn/tree.hpp"            // count_parameters

#include "unit/adapt/block_support.hpp"  // cloned, distance, stir

#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <functional>   // std::function
#include <sstream>      // std::stringstream
#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <vector>       // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::cloned, test::distance, test::stir;

namespace {

using bare = nn::linear<6, 4, nn::bias_term::no>;
using biased = nn::linear<6, 4>;
using picture = nn::conv2d<4, 6, 3, nn::conv_options{.dilation = 2, .groups = 2, .padding = nn::same}>;
using line = nn::conv1d<4, 6, 3, nn::conv_options{.padding = 1, .mode = nn::padding_mode::circular}>;

static_assert(nn::trainable_parameters<nn::with<biased, adapt::bitfit>> == 4);
static_assert(nn::parameters<nn::with<biased, adapt::bitfit>> == nn::parameters<biased>);
static_assert(nn::trainable_parameters<nn::with<nn::layer_norm<8>, adapt::bitfit>> == 8);
static_assert(nn::trainable_parameters<nn::with<bare, adapt::beft>> == 4);
static_assert(nn::parameters<nn::with<bare, adapt::beft>> == 28);
static_assert(nn::trainable_parameters<nn::with<bare, adapt::ia3<>>> == 4);
static_assert(nn::trainable_parameters<nn::with<bare, adapt::ia3<{.feed_forward = true}>>> == 6);
static_assert(nn::trainable_parameters<nn::with<picture, adapt::ia3<>>> == 6);
static_assert(nn::trainable_parameters<nn::with<nn::layer_norm<8>, adapt::norm_tuning>> == 16);
static_assert(nn::trainable_parameters<nn::with<nn::rms_norm<8>, adapt::norm_tuning>> == 8);
static_assert(nn::trainable_parameters<nn::with<bare, adapt::lora<2>, adapt::beft>> == 2 * 10 + 4);
static_assert(nn::trainable_parameters<nn::with<biased, adapt::bitfit, adapt::lora<2>>> == 4 + 2 * 10);
static_assert(nn::trainable_parameters<nn::with<nn::linear<dynamic, 4>, adapt::ia3<>>> == 4);

static_assert(std::is_same_v<nn::plain_of<nn::with<bare, adapt::beft>>, biased>);
static_assert(std::is_same_v<nn::plain_of<nn::with<bare, adapt::beft, adapt::lora<2>>>, biased>);
static_assert(std::is_same_v<adapt::bare_of<nn::with<bare, adapt::beft, adapt::lora<2>>>, bare>);

/// One entry of every trainable parameter against a central difference; none for what is frozen.
void check_gradients(torch::nn::Module& m, const std::function<tensor()>& loss) {
  loss().backward();
  for (const auto& item : m.named_parameters()) {
    const auto& p = item.value();
    CAPTURE(item.key());
    CHECK(p.grad().defined() == p.requires_grad());
    if (!p.requires_grad()) continue;
    const torch::NoGradGuard quiet;
    auto entry = p.flatten()[0];
    const double step = 1e-6, before = entry.item<double>();
    entry.fill_(before + step);
    const double above = loss().item<double>();
    entry.fill_(before - step);
    const double below = loss().item<double>();
    entry.fill_(before);
    CHECK(p.grad().flatten()[0].item<double>() ==
          doctest::Approx((above - below) / (2 * step)).epsilon(1e-5));
  }
}

/// What must hold of every adapter: the start is the base, the counts are those of the type, the plain layer
/// keeps still, merging and cloning and a file keep the outputs, and the gradient is that of the merged
/// layer.
template <class Layer>
void check(const at::IntArrayRef input) {
  torch::manual_seed(11);
  nn::module<Layer> m;
  INFO(m->describe());
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<Layer>, nn::trainable_parameters<Layer>});

  m->to(torch::kDouble);
  const auto x = torch::randn(input, torch::dtype(torch::kDouble).requires_grad(true));
  const auto start = adapt::merge(m)->forward(x);
  stir(*m);
  const auto y = m->forward(x);
  CHECK(distance(y, start) > 1e-3);

  auto merged = adapt::merge(m);
  CHECK(distance(merged->forward(x), y) < 1e-12);
  const auto direction = torch::randn_like(y);
  const auto through = torch::autograd::grad({(m->forward(x) * direction).sum()}, {x})[0];
  const auto plain = torch::autograd::grad({(merged->forward(x) * direction).sum()}, {x})[0];
  CHECK(distance(through, plain) < 1e-11);

  CHECK(cloned(m)->forward(x).equal(y));
  nn::module<Layer> other;
  std::stringstream file;
  torch::save(m, file);
  other->to(torch::kDouble);
  torch::load(other, file);
  CHECK(other->forward(x).equal(y));

  check_gradients(*m, [&] { return (m->forward(x) * direction).sum(); });
}

}  // namespace

TEST_CASE("adapters of linear layers keep the laws of adapters, alone and stacked") {
  check<nn::with<biased, adapt::bitfit>>({5, 6});
  check<nn::with<biased, adapt::beft>>({2, 5, 6});
  check<nn::with<bare, adapt::beft>>({5, 6});
  check<nn::with<biased, adapt::ia3<>>>({2, 5, 6});
  check<nn::with<biased, adapt::ia3<{.feed_forward = true}>>>({2, 5, 6});
  check<nn::with<bare, adapt::lora<2>, adapt::beft>>({5, 6});
  check<nn::with<bare, adapt::beft, adapt::lora<2>>>({5, 6});
  check<nn::with<biased, adapt::bitfit, adapt::lora<2, {.alpha = 5}>, adapt::ia3<>>>({5, 6});
  check<nn::with<biased, adapt::ia3<{.feed_forward = true}>, adapt::lora<2>, adapt::beft>>({5, 6});
}

TEST_CASE("adapters of convolutions keep the laws of adapters, whatever the geometry") {
  check<nn::with<picture, adapt::bitfit>>({2, 4, 6, 7});
  check<nn::with<picture, adapt::beft>>({2, 4, 6, 7});
  check<nn::with<picture, adapt::ia3<>>>({2, 4, 6, 7});
  check<nn::with<picture, adapt::ia3<{.feed_forward = true}>>>({2, 4, 6, 7});
  check<nn::with<line, adapt::ia3<{.feed_forward = true}>, adapt::lora<3>, adapt::beft>>({2, 4, 9});
  check<nn::with<line, adapt::ia3<>>>({4, 9});
}

TEST_CASE("norm tuning trains a copy of the norm, and merging puts it in its place exactly") {
  using tuned = nn::with<nn::layer_norm<6>, adapt::norm_tuning>;
  check<tuned>({3, 6});
  check<nn::with<nn::rms_norm<6>, adapt::norm_tuning>>({3, 6});
  check<nn::with<nn::layer_norm<6>, adapt::bitfit>>({3, 6});
  nn::module<tuned> m;
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"weight", "bias", "ln_tuning_layers.weight", "ln_tuning_layers.bias"});
  stir(*m);
  CHECK(adapt::merge(m)->weight.equal(m->tuned().weight));
  CHECK(m->weight.equal(torch::ones({6})));
}

TEST_CASE("norm tuning starts again from a base whose numbers came later") {
  nn::module<nn::with<nn::layer_norm<6>, adapt::norm_tuning>> m;
  {
    const torch::NoGradGuard quiet;
    m->weight.uniform_(1, 2);
  }
  CHECK_FALSE(m->tuned().weight.equal(m->weight));
  adapt::start_from_base(*m);
  CHECK(m->tuned().weight.equal(m->weight));
  CHECK(m->tuned().weight.requires_grad());
}

TEST_CASE("adapters register under the names and shapes of Python's peft") {
  const auto shape = []<class Layer>(nn::module<Layer> m, const char* name) {
    return m->named_parameters()[name].sizes().vec();
  };
  using sizes = std::vector<std::int64_t>;
  CHECK(shape(nn::module<nn::with<bare, adapt::ia3<>>>(), "ia3_l") == sizes{4, 1});
  CHECK(shape(nn::module<nn::with<bare, adapt::ia3<{.feed_forward = true}>>>(), "ia3_l") == sizes{1, 6});
  CHECK(shape(nn::module<nn::with<picture, adapt::ia3<>>>(), "ia3_l") == sizes{1, 6, 1, 1});
  CHECK(shape(nn::module<nn::with<picture, adapt::ia3<{.feed_forward = true}>>>(), "ia3_l") ==
        sizes{1, 4, 1, 1});
  CHECK(shape(nn::module<nn::with<bare, adapt::beft>>(), "beft_bias") == sizes{4});
}
