#include "fmsb/nn/conv_at.hpp"  // conv1d_at, conv2d_at

#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/nn/check_module.hpp"  // check_module
#include "fmsb/space/product.hpp"    // product

#include "support/distance.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <ATen/ops/convolution.h>          // at::convolution
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using nn::mixed_method;
using test::distance;

namespace {

using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;
constexpr auto wide = choices::make(3);  // kernel 5, dilation 3
constexpr auto plain = space::kernel_sizes<7>::make(0);

static_assert(nn::conv1d_at<wide, 4, 6>::parameter_count == 4 * 6 * 5 + 6);
static_assert(nn::conv1d_at<wide, 4, 6>::parameter_count == space::parameters(wide, 4, 6));
static_assert(
    nn::conv2d_at<wide, 6, 6, {.groups = nn::depthwise, .bias = nn::bias_term::no}>::parameter_count ==
    6 * 25);
static_assert(nn::conv1d_at<wide, 4, 6>::receptive_field == 13 && nn::conv1d_at<plain, 4, 6>::dilation == 1);

tensor drawn_input(int axes, index_t channels) {
  torch::manual_seed(*rc::gen::inRange<std::uint64_t>(0, 1 << 30));
  std::vector<index_t> sizes{*rc::gen::inRange<index_t>(1, 4), channels};
  for (int axis = 0; axis < axes; ++axis) sizes.push_back(*rc::gen::inRange<index_t>(1, 30));
  const auto x = torch::randn(sizes, torch::kDouble);
  return *rc::gen::arbitrary<bool>() ? x : x.transpose(1, -1).contiguous().transpose(1, -1);
}

/// Outputs and gradients are those of LibTorch's convolution with 'same' padding, by every method.
template <class Layer>
bool is_the_convolution(const std::string& sentence) {
  return test::holds(sentence, [] {
    constexpr bool direct = Layer::spatial_axes == 1 && Layer::options.groups == nn::depthwise;
    nn::module<Layer> m;
    m->to(torch::kDouble);
    const auto x = drawn_input(Layer::spatial_axes, Layer::in_features).requires_grad_();
    const auto each = [](index_t value) { return std::vector<index_t>(Layer::spatial_axes, value); };
    const auto wanted = at::convolution(x, m->weight, m->bias, each(Layer::stride),
                                        each(Layer::dilation * (Layer::kernel - 1) / 2),
                                        each(Layer::dilation), false, each(0), m->groups());
    std::vector<tensor> inputs = m->parameters();
    inputs.push_back(x);
    const auto gy = torch::randn_like(wanted);
    const auto gradients = torch::autograd::grad({wanted}, inputs, {gy});
    for (const auto method : {mixed_method::automatic, mixed_method::spectrum, mixed_method::kernel,
                              direct ? mixed_method::direct : mixed_method::automatic}) {
      m->method = method;
      const auto y = m->forward(x);
      RC_ASSERT(distance(y, wanted) < 1e-12);
      RC_ASSERT(distance(m->forward(x[0]), y[0]) < 1e-12);
      const auto found = torch::autograd::grad({y}, inputs, {gy});
      for (std::size_t i = 0; i < inputs.size(); ++i) RC_ASSERT(distance(found[i], gradients[i]) < 1e-11);
    }
  });
}

}  // namespace

TEST_CASE("the convolution of a point is LibTorch's, gradients included, by every method") {
  CHECK(is_the_convolution<nn::conv1d_at<wide, 4, 6>>("rows"));
  CHECK(is_the_convolution<nn::conv1d_at<wide, 6, 4, {.stride = 2, .groups = 2, .bias = nn::bias_term::no}>>(
      "groups and a stride"));
  CHECK(
      is_the_convolution<nn::conv1d_at<plain, 20, 20, {.groups = nn::depthwise}>>("depthwise, no dilation"));
  CHECK(is_the_convolution<nn::conv1d_at<wide, 5, 5, {.stride = 3, .groups = nn::depthwise}>>(
      "depthwise with a stride"));
  CHECK(is_the_convolution<nn::conv2d_at<wide, 3, 5, {.stride = 2}>>("images"));
  CHECK(is_the_convolution<nn::conv2d_at<wide, 5, 5, {.groups = nn::depthwise}>>("images, depthwise"));
}

TEST_CASE("a point's convolution keeps what every layer keeps") {
  const auto sound = [](const auto& m, const tensor& x) {
    const auto report = nn::check_module(m, x);
    INFO(report);
    CHECK(report.sound());
  };
  sound(nn::module<nn::conv1d_at<wide, 4, 6>>(), torch::randn({2, 4, 20}));
  sound(nn::module<nn::conv1d_at<wide, dynamic, dynamic, {.groups = nn::depthwise}>>(
            nn::conv_extents{.in = 6, .out = 6}),
        torch::randn({2, 6, 20}));
}

TEST_CASE("a point's convolution says what it is, what it takes, and which way it goes") {
  nn::module<nn::conv2d_at<wide, 4, 4, {.stride = 2, .groups = nn::depthwise}>> m;
  CHECK(m->describe() == "conv_at2d(in=4, out=4, kernel=5, dilation=3, stride=2, depthwise)");
  CHECK(test::message_of<usage_error>([&] {
          m->forward(torch::randn({2, 3, 8, 8}));
        }) == m->describe() +
                  " was given an input of shape [2, 3, 8, 8]; it takes [batch, 4, height, width], with or "
                  "without the batch.");
  m->method = mixed_method::direct;
  CHECK(test::message_of<usage_error>([&] {
          m->forward(torch::randn({2, 4, 8, 8}));
        }) == m->describe() +
                  ": the method `direct` cannot take the input, CPUFloatType of shape [2, 4, 8, 8]. "
                  "`direct` takes depthwise convolutions over one axis, it and `spectrum` float, double or "
                  "bfloat16 on the CPU; choose `automatic`.");
  CHECK_THROWS_AS(
      (nn::module<nn::conv1d_at<wide, dynamic, dynamic, {.groups = 3}>>(nn::conv_extents{.in = 4, .out = 6})),
      usage_error);
  const auto row = torch::randn({4, 4, 30});
  CHECK(nn::module<nn::conv1d_at<wide, 4, 4, {.groups = nn::depthwise}>>()->chosen(row) ==
        mixed_method::direct);
  CHECK(nn::module<nn::conv1d_at<wide, 4, 4>>()->chosen(row.to(torch::kHalf)) == mixed_method::kernel);
  // Far taps cost transforms nothing: wide fields on many channels are theirs, small ones LibTorch's.
  CHECK(nn::module<nn::conv1d_at<space::kernel_sizes<11>::make(0), 64, 64>>()->chosen(
            torch::empty({32, 64, 512})) == mixed_method::spectrum);
  CHECK(nn::module<nn::conv1d_at<space::kernel_sizes<1>::make(0), 64, 64>>()->chosen(
            torch::empty({32, 64, 512})) == mixed_method::kernel);
}
