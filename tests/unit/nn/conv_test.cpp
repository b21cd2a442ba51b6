#include "fmsb/nn/conv.hpp"  // conv1d, conv2d

#include "fmsb/adapt/lora.hpp"    // lora
#include "fmsb/adapt/merge.hpp"   // merge
#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/nn/composite.hpp"  // sequential
#include "fmsb/nn/tree.hpp"       // count_parameters

#include "support/property.hpp"

#include <torch/csrc/autograd/autograd.h>           // torch::autograd::grad
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential
#include <torch/nn/modules/conv.h>                  // torch::nn::Conv1d, Conv2d

#include <sstream>  // std::stringstream
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using nn::padding_mode;

namespace {

/// Where position p of an axis of n positions reads, or -1 for a zero.
index_t source(index_t p, index_t n, padding_mode mode) {
  if (p >= 0 && p < n) return p;
  switch (mode) {
    case padding_mode::reflect:
      return p < 0 ? -p : 2 * (n - 1) - p;
    case padding_mode::replicate:
      return p < 0 ? 0 : n - 1;
    case padding_mode::circular:
      return (p % n + n) % n;
    default:
      return -1;
  }
}

/// The equation in plain loops, for one or two axes (one has height 1); double.
tensor by_loops(const tensor& x, const tensor& w, const tensor& b, const nn::conv_options& o, int axes) {
  const tensor in = (axes == 1 ? x.unsqueeze(2) : x).contiguous();
  const tensor weight = (axes == 1 ? w.unsqueeze(2) : w).contiguous();
  const index_t k = w.size(-1), field = (k - 1) * o.dilation + 1;
  const index_t total = o.padding == nn::same ? field - 1 : 2 * o.padding, before = total / 2;
  const index_t height = in.size(2), width = in.size(3), outputs = w.size(0), part = w.size(1);
  const index_t rows = axes == 1 ? 1 : (height + total - field) / o.stride + 1;
  const index_t columns = (width + total - field) / o.stride + 1;
  auto y = torch::zeros({x.size(0), outputs, rows, columns}, torch::kDouble);
  const auto xs = in.accessor<double, 4>();
  const auto ws = weight.accessor<double, 4>();
  auto ys = y.accessor<double, 4>();
  for (index_t n = 0; n < x.size(0); ++n)
    for (index_t f = 0; f < outputs; ++f)
      for (index_t r = 0; r < rows; ++r)
        for (index_t c = 0; c < columns; ++c) {
          double sum = b.defined() ? b[f].item<double>() : 0;
          for (index_t i = 0; i < part; ++i)
            for (index_t u = 0; u < (axes == 1 ? 1 : k); ++u)
              for (index_t v = 0; v < k; ++v) {
                const index_t row =
                    axes == 1 ? 0 : source(r * o.stride + u * o.dilation - before, height, o.mode);
                const index_t column = source(c * o.stride + v * o.dilation - before, width, o.mode);
                if (row >= 0 && column >= 0)
                  sum += ws[f][i][u][v] * xs[n][f / (outputs / o.groups) * part + i][row][column];
              }
          ys[n][f][r][c] = sum;
        }
  return axes == 1 ? y.squeeze(2) : y;
}

double distance(const tensor& a, const tensor& b) {
  return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : 1e9;
}

tensor drawn_input(int axes, index_t channels) {
  const index_t batch = *rc::gen::inRange<index_t>(1, 3), height = *rc::gen::inRange<index_t>(8, 14),
                width = *rc::gen::inRange<index_t>(8, 14);
  torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
  return axes == 1 ? torch::randn({batch, channels, width}, torch::kDouble)
                   : torch::randn({batch, channels, height, width}, torch::kDouble);
}

template <class Layer>
bool agrees_with_loops(const std::string& sentence) {
  return test::holds(sentence, [] {
    const auto x = drawn_input(Layer::spatial_axes, Layer::in_features);
    nn::module<Layer> m;
    m->to(torch::kDouble);
    RC_ASSERT(distance(m->forward(x), by_loops(x, m->weight, m->bias, Layer::options, Layer::spatial_axes)) <
              1e-12);
    RC_ASSERT(distance(m->forward(x[0]), m->forward(x)[0]) < 1e-12);  // the batch axis may be absent
  });
}

/// An adapted layer with drawn A and B against its merged plain layer: outputs and input gradients.
template <class Adapted>
bool equals_its_merge(const std::string& sentence) {
  return test::holds(sentence, [] {
    const auto x = drawn_input(Adapted::spatial_axes, Adapted::in_features).requires_grad_();
    nn::module<Adapted> m;
    m->to(torch::kDouble);
    for (auto& p : m->parameters()) {
      const torch::NoGradGuard no_gradient;
      if (p.requires_grad()) p.normal_();
    }
    auto plain = adapt::merge(m);
    RC_ASSERT(nn::count_parameters(*plain).all == nn::parameters<nn::plain_of<Adapted>>);
    const auto y = m->forward(x), z = plain->forward(x), weights = torch::randn_like(y);
    RC_ASSERT(distance(y, z) < 1e-10);
    RC_ASSERT(distance(torch::autograd::grad({y}, {x}, {weights})[0],
                       torch::autograd::grad({z}, {x}, {weights})[0]) < 1e-10);
    RC_ASSERT(distance(y, m->map(x, m->weight)) > 1e-3);  // the adapter does something
  });
}

template <nn::conv_options Options>
using line = nn::conv1d<4, 6, 3, Options>;
template <nn::conv_options Options>
using image = nn::conv2d<4, 6, 3, Options>;

}  // namespace

TEST_CASE("a convolution is its equation in loops, for every geometry and padding mode") {
  CHECK(agrees_with_loops<line<{}>>("plain"));
  CHECK(agrees_with_loops<line<{.stride = 3, .dilation = 2, .groups = 2, .padding = 4}>>("all options"));
  CHECK(agrees_with_loops<line<{.dilation = 2, .padding = nn::same, .mode = padding_mode::reflect}>>(
      "reflect"));
  CHECK(agrees_with_loops<line<{.stride = 2, .padding = 3, .mode = padding_mode::replicate}>>("replicate"));
  CHECK(agrees_with_loops<line<{.groups = 2, .padding = 3, .mode = padding_mode::circular}>>("circular"));
  CHECK(agrees_with_loops<nn::conv1d<4, 6, 4, {.padding = nn::same, .bias = nn::bias_term::no}>>(
      "even kernel"));
  CHECK(agrees_with_loops<
        nn::conv1d<4, 6, 2, {.dilation = 3, .padding = nn::same, .mode = padding_mode::circular}>>(
      "even kernel around a circle"));
  CHECK(agrees_with_loops<nn::conv1d<4, 4, 3, {.groups = 4}>>("depthwise"));
  CHECK(agrees_with_loops<image<{.stride = 2, .dilation = 2, .groups = 2, .padding = 1}>>("images"));
  CHECK(agrees_with_loops<image<{.padding = nn::same, .mode = padding_mode::reflect}>>("images, reflect"));
  CHECK(agrees_with_loops<nn::conv2d<4, 6, 4, {.padding = nn::same, .mode = padding_mode::replicate}>>(
      "images, even kernel"));
  CHECK(agrees_with_loops<image<{.padding = 2, .mode = padding_mode::circular}>>("images, circular"));
}

TEST_CASE("LoRA on a convolution equals its merged layer: groups, dilation, stride, every padding mode") {
  using adapt::lora;
  CHECK(equals_its_merge<nn::with<line<{}>, lora<2>>>("plain"));
  CHECK(equals_its_merge<nn::with<line<{.stride = 2, .dilation = 2, .groups = 2, .padding = 3}>,
                                  lora<2, {.alpha = 5, .bias = true}>>>("all options"));
  CHECK(equals_its_merge<
        nn::with<line<{.dilation = 2, .padding = nn::same, .mode = padding_mode::reflect}>, lora<3>>>(
      "reflect"));
  CHECK(
      equals_its_merge<nn::with<line<{.groups = 2, .padding = 2, .mode = padding_mode::replicate}>, lora<2>>>(
          "replicate"));
  CHECK(equals_its_merge<
        nn::with<line<{.dilation = 2, .padding = 3, .mode = padding_mode::circular}>, lora<1>>>("circular"));
  CHECK(equals_its_merge<nn::with<nn::conv1d<4, 4, 3, {.groups = 4, .padding = nn::same}>, lora<1>>>(
      "depthwise"));
  CHECK(equals_its_merge<nn::with<image<{.stride = 2, .dilation = 2, .groups = 2, .padding = 1}>, lora<2>>>(
      "images"));
  CHECK(equals_its_merge<
        nn::with<image<{.groups = 2, .padding = nn::same, .mode = padding_mode::reflect}>, lora<2>>>(
      "images, reflect"));
  CHECK(equals_its_merge<nn::with<image<{.padding = 2, .mode = padding_mode::replicate}>, lora<2>>>(
      "images, replicate"));
  CHECK(
      equals_its_merge<nn::with<image<{.groups = 2, .padding = 2, .mode = padding_mode::circular}>, lora<2>>>(
          "images, circular"));
}

TEST_CASE("LoRA on a convolution starts as its base, and trains what its type says") {
  using adapted =
      nn::with<nn::conv1d<8, 6, 3, {.dilation = 2, .groups = 2, .padding = nn::same}>, adapt::lora<2>>;
  static_assert(nn::trainable_parameters<adapted> == 2 * 8 * 3 + 2 * 6);
  static_assert(nn::parameters<adapted> == 6 * 4 * 3 + 6 + 60);
  nn::module<adapted> m;
  const auto x = torch::randn({2, 8, 9});
  CHECK(m->forward(x).equal(adapt::merge(m)->forward(x)));
  CHECK(m->lora_A.sizes() == std::vector<index_t>{4, 4, 3});
  CHECK(m->lora_B.sizes() == std::vector<index_t>{6, 2, 1});
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<adapted>, nn::trainable_parameters<adapted>});
}

TEST_CASE("names, shapes and starting values are those of LibTorch's layers") {
  torch::manual_seed(11);
  nn::module<nn::conv1d<4, 6, 3, {.groups = 2}>> ours;
  torch::manual_seed(11);
  torch::nn::Conv1d theirs(torch::nn::Conv1dOptions(4, 6, 3).groups(2));
  CHECK(ours->named_parameters().keys() == theirs->named_parameters().keys());
  CHECK(ours->weight.sizes() == theirs->weight.sizes());
  CHECK(distance(ours->weight, theirs->weight) < 1e-6);
  CHECK(distance(ours->bias, theirs->bias) < 1e-6);

  torch::manual_seed(12);
  nn::module<nn::conv2d<4, 6, 3>> second;
  torch::manual_seed(12);
  torch::nn::Conv2d theirs_too(torch::nn::Conv2dOptions(4, 6, 3));
  CHECK(distance(second->weight, theirs_too->weight) < 1e-6);
  const auto x = torch::randn({2, 4, 5, 6});
  torch::nn::Sequential chain(second);
  CHECK(distance(chain->forward(x), theirs_too->forward(x)) < 1e-5);
}

TEST_CASE("padding same keeps the length at every kernel and dilation") {
  const auto keeps = []<index_t... Kernels>(std::integer_sequence<index_t, Kernels...>) {
    const auto x = torch::randn({1, 1, 17});
    return (
        (nn::module<nn::conv1d<1, 1, Kernels + 1, {.dilation = 2, .padding = nn::same}>>()->forward(x).size(
             2) == 17) &&
        ...);
  };
  CHECK(keeps(std::make_integer_sequence<index_t, 8>()));
}

TEST_CASE("the receptive field and stride of a chain are those that its gradient shows") {
  using chain = nn::sequential<nn::child<"0", nn::conv1d<1, 2, 3, {.stride = 2, .dilation = 3}>>,
                               nn::child<"1", nn::conv1d<2, 2, 4, {.dilation = 2}>>,
                               nn::child<"2", nn::conv1d<2, 1, 2, {.stride = 3}>>>;
  static_assert(nn::receptive_field<chain> == 1 + 2 * 3 + 3 * 2 * 2 + 1 * 2);
  static_assert(nn::stride<chain> == 6);
  nn::module<chain> m;
  for (auto& p : m->parameters()) {
    const torch::NoGradGuard no_gradient;
    p.fill_(1);
  }
  const auto x = torch::randn({1, 1, 60}, torch::requires_grad());
  const auto y = m->forward(x);
  const auto reach = [&](index_t position) {
    const auto seen = torch::autograd::grad({y[0][0][position]}, {x}, {}, true)[0][0][0].nonzero().flatten();
    return std::pair(seen[0].item<index_t>(), seen[-1].item<index_t>());
  };
  CHECK(reach(0).second - reach(0).first + 1 == nn::receptive_field<chain>);
  CHECK(reach(1).first - reach(0).first == nn::stride<chain>);
  CHECK(y.size(2) == (60 - nn::receptive_field<chain>) / nn::stride<chain> + 1);
}

TEST_CASE("extents of the type and of the run give one layer and one file") {
  torch::manual_seed(13);
  nn::module<nn::conv1d<4, 6, 3, {.groups = 2}>> fixed;
  nn::module<nn::conv1d<dynamic, dynamic, 3, {.groups = 2}>> loose(nn::conv_extents{4, 6});
  CHECK(loose->describe() == fixed->describe());
  std::stringstream file;
  torch::save(fixed, file);
  torch::load(loose, file);
  const auto x = torch::randn({2, 4, 8});
  CHECK(loose->forward(x).equal(fixed->forward(x)));
  CHECK(nn::parameters<nn::conv1d<dynamic, 6, 3>> == dynamic);
  CHECK_THROWS_WITH_AS((nn::module<nn::conv1d<dynamic, 6, 3>>(nn::conv_extents{})),
                       doctest::Contains("nothing says how large \"in\" is"), usage_error);
  CHECK_THROWS_WITH_AS((nn::module<nn::conv1d<dynamic, 6, 3, {.groups = 2}>>(nn::conv_extents{.in = 5})),
                       doctest::Contains("both must be multiples of the groups"), usage_error);
}

TEST_CASE("merging a layer with dynamic extents keeps them") {
  nn::module<nn::with<nn::conv2d<dynamic, dynamic, 3, {.padding = 1}>, adapt::lora<2>>> m(
      nn::conv_extents{3, 5});
  const auto x = torch::randn({1, 3, 4, 4});
  CHECK(adapt::merge(m)->forward(x).sizes() == m->forward(x).sizes());
}

TEST_CASE("an input that does not fit is refused in words") {
  nn::module<nn::conv1d<4, 6, 3>> m;
  CHECK_THROWS_WITH_AS(
      m->forward(torch::zeros({2, 3, 9})),
      doctest::Contains("conv1d(in=4, out=6, kernel=3) was given an input of shape [2, 3, 9]"), usage_error);
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({2, 4, 2})), doctest::Contains("at least 3 positions"),
                       usage_error);
  CHECK_THROWS_AS(m->forward(torch::zeros({4})), usage_error);
  nn::module<nn::conv1d<4, 6, 3, {.padding = 5, .mode = padding_mode::reflect}>> mirrored;
  CHECK_THROWS_WITH_AS(mirrored->forward(torch::zeros({2, 4, 5})), doctest::Contains("at least 6 positions"),
                       usage_error);
  CHECK(mirrored->forward(torch::zeros({2, 4, 6})).size(2) == 14);
  nn::module<nn::conv1d<4, 6, 3, {.padding = 5, .mode = padding_mode::circular}>> round;
  CHECK_THROWS_WITH_AS(round->forward(torch::zeros({2, 4, 4})), doctest::Contains("at least 5 positions"),
                       usage_error);
  CHECK(round->forward(torch::zeros({2, 4, 5})).size(2) == 13);
}

TEST_CASE("a layer describes itself by what is unusual about it") {
  CHECK(nn::module<nn::conv1d<4, 6, 3>>()->describe() == "conv1d(in=4, out=6, kernel=3)");
  CHECK(nn::module<nn::conv2d<4, 6, 3,
                              {.dilation = 2,
                               .groups = 2,
                               .padding = nn::same,
                               .mode = padding_mode::circular,
                               .bias = nn::bias_term::no}>>()
            ->describe() ==
        "conv2d(in=4, out=6, kernel=3, dilation=2, groups=2, padding=same, padding_mode=circular, bias=no)");
  CHECK(nn::module<nn::conv1d<4, 6, 3, {.stride = 2, .padding = 1}>>()->describe() ==
        "conv1d(in=4, out=6, kernel=3, stride=2, padding=1)");
}
