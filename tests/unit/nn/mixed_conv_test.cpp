#include "fmsb/nn/mixed_conv.hpp"  // mixed_conv1d, mixed_conv2d

#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/nn/check_module.hpp"  // check_module
#include "fmsb/space/product.hpp"    // product

#include "support/distance.hpp"
#include "support/live_memory.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <ATen/Parallel.h>                 // at::set_num_threads
#include <ATen/ops/convolution.h>          // at::convolution
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <cmath>             // std::abs
#include <cstddef>           // std::size_t
#include <cstdint>           // std::uint64_t
#include <initializer_list>  // std::initializer_list
#include <string>            // std::string
#include <type_traits>       // std::type_identity
#include <vector>            // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using nn::mixed_method;
using nn::mixing;
using test::distance;

namespace {

using few = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 2, 3>>;
using one = space::kernel_sizes<1, 7>;  // no dilation, and a kernel of one tap

template <class Layer>
nn::module<Layer> drawn_layer() {
  const torch::NoGradGuard no_gradient;
  nn::module<Layer> m;
  m->to(torch::kDouble);
  for (auto& p : m->parameters()) p.normal_();
  return m;
}

/// The definition: every point's convolution by LibTorch, times its coefficient.
template <class Layer>
tensor mixed_results(const Layer& m, const tensor& x, const tensor& a) {
  using space_type = typename Layer::space_type;
  const auto on_each_axis = [](index_t value) { return std::vector<index_t>(Layer::spatial_axes, value); };
  tensor y;
  for (std::size_t p = 0; p < space_type::size; ++p) {
    const index_t dilation = space::dilation_of(space_type::at(p)),
                  padding = space::receptive_field(space_type::at(p)) / 2;
    const auto part =
        at::convolution(x, m.weight_of(p), {}, on_each_axis(Layer::stride), on_each_axis(padding),
                        on_each_axis(dilation), false, on_each_axis(0), m.groups()) *
        a[static_cast<index_t>(p)];
    y = y.defined() ? y + part : part;
  }
  if (!m.bias.defined()) return y;
  std::vector<index_t> shape(Layer::spatial_axes + 1, 1);
  shape[0] = -1;
  return y + m.bias.view(shape);
}

/// An input in one of the orders of memory that a user may hold.
tensor drawn_input(int axes, index_t channels) {
  torch::manual_seed(*rc::gen::inRange<std::uint64_t>(0, 1 << 30));
  const index_t batch = *rc::gen::inRange(1, 4);
  const auto length = [] { return *rc::gen::inRange<index_t>(1, 40); };
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return axes == 1 ? torch::randn({batch, channels, length()}, torch::kDouble)
                       : torch::randn({batch, channels, length(), length()}, torch::kDouble);
    case 1:  // channels last
      return axes == 1
                 ? torch::randn({batch, length(), channels}, torch::kDouble).transpose(1, 2)
                 : torch::randn({batch, length(), length(), channels}, torch::kDouble).permute({0, 3, 1, 2});
    default:  // with gaps along the last axis
      return (axes == 1 ? torch::randn({batch, channels, 2 * length()}, torch::kDouble)
                        : torch::randn({batch, channels, length(), 2 * length()}, torch::kDouble))
          .slice(-1, 0, 1000, 2);
  }
}

/// Outputs and all gradients against the definition, by every method that takes the layer.
template <class Layer, bool Direct = false>
bool is_the_mixture(const std::string& sentence) {
  return test::holds(sentence, [] {
    auto m = drawn_layer<Layer>();
    const auto x = drawn_input(Layer::spatial_axes, Layer::in_features).requires_grad_();
    std::vector<tensor> inputs = m->parameters();
    inputs.push_back(x);
    const auto wanted = mixed_results(*m, x, m->coefficients());
    const auto gy = torch::randn_like(wanted);
    const auto gradients = torch::autograd::grad({wanted}, inputs, {gy});
    for (const auto method :
         {mixed_method::automatic, mixed_method::spectrum, mixed_method::transform, mixed_method::kernel,
          Direct ? mixed_method::direct : mixed_method::automatic}) {
      m->method = method;
      const auto y = m->forward(x);
      RC_ASSERT(distance(y, wanted) < 1e-12);
      RC_ASSERT(distance(m->forward(x[0]), y[0]) < 1e-12);  // the batch axis may be absent
      const auto found = torch::autograd::grad({y}, inputs, {gy});
      for (std::size_t i = 0; i < inputs.size(); ++i) RC_ASSERT(distance(found[i], gradients[i]) < 1e-11);
    }
  });
}

template <nn::mixed_conv_options Options, class Space = few>
using row = nn::mixed_conv1d<Space, 6, 6, Options>;
using alone = nn::mixed_conv1d<few, 20, 20, {.groups = nn::depthwise}>;

static_assert(nn::mixed_conv1d<few, 3, 5>::parameter_count == space::mixed_parameters<few>(3, 5));
static_assert(alone::parameter_count == space::mixed_parameters<few>(20, 20, 20));
static_assert(nn::mixed_conv2d<few, 1, 1>::parameter_count == 3 * (9 + 25) + 1 + 6);
static_assert(alone::receptive_field == 13 && alone::taps == 11);

}  // namespace

TEST_CASE("a mixed convolution is the mixture of its points' results, gradients included, by every method") {
  CHECK(is_the_mixture<nn::mixed_conv1d<few, 4, 6>>("dense"));
  CHECK(
      is_the_mixture<row<{.stride = 3, .groups = 2, .bias = nn::bias_term::no}>>("groups, stride, no bias"));
  CHECK(is_the_mixture<alone, true>("depthwise"));
  CHECK(is_the_mixture<row<{.stride = 2, .groups = nn::depthwise, .bias = nn::bias_term::no}, one>, true>(
      "depthwise, stride, no bias, no dilations"));
  CHECK(is_the_mixture<nn::mixed_conv2d<few, 2, 4, {.groups = 2}>>("images, groups"));
  CHECK(is_the_mixture<nn::mixed_conv2d<few, 3, 3, {.stride = 2, .groups = nn::depthwise}>>(
      "images, depthwise, stride"));
}

TEST_CASE(
    "mixed convolution: linear in the coefficients and in every weight, and one coefficient is one "
    "convolution") {
  using given =
      nn::mixed_conv1d<few, 5, 5,
                       {.groups = nn::depthwise, .coefficients = mixing::given, .bias = nn::bias_term::no}>;
  CHECK(test::holds("linear", [] {
    auto m = drawn_layer<given>(), other = drawn_layer<given>();
    const auto x = drawn_input(1, 5), a = torch::randn({6}, torch::kDouble),
               b = torch::randn({6}, torch::kDouble);
    RC_ASSERT(distance(m->forward(x, 2 * a - b), 2 * m->forward(x, a) - m->forward(x, b)) < 1e-11);
    auto sum = drawn_layer<given>();
    {
      const torch::NoGradGuard no_gradient;
      sum->weight.copy_(m->weight - 3 * other->weight);
    }
    RC_ASSERT(distance(sum->forward(x, a), m->forward(x, a) - 3 * other->forward(x, a)) < 1e-11);
    const auto point = *rc::gen::inRange<index_t>(0, 6);
    const auto alone_one = torch::zeros({6}, torch::kDouble).index_fill(0, torch::tensor({point}), 1);
    RC_ASSERT(distance(m->forward(x, alone_one), mixed_results(*m, x, alone_one)) < 1e-12);
  }));
}

TEST_CASE("mixed convolution: what is moved comes out moved, away from the ends") {
  CHECK(test::holds("equivariance", [] {
    torch::manual_seed(*rc::gen::inRange<std::uint64_t>(0, 1 << 30));
    auto m = drawn_layer<alone>();
    const index_t by = *rc::gen::inRange<index_t>(1, 10);
    const auto x = torch::randn({2, 20, 60 + by}, torch::kDouble);
    const auto y = m->forward(x), moved = m->forward(x.slice(2, by));
    RC_ASSERT(distance(moved.slice(2, 6, 54), y.slice(2, 6 + by, 54 + by)) < 1e-12);
  }));
}

TEST_CASE("mixed convolution: the gradient of the input is the adjoint of the forward map") {
  const auto adjoint = []<class Layer>(std::type_identity<Layer>, mixed_method method) {
    return test::holds("<A x, y> = <x, A' y>", [=] {
      auto m = drawn_layer<Layer>();
      m->method = method;
      const auto x = drawn_input(Layer::spatial_axes, 6).requires_grad_(), ax = m->forward(x),
                 y = torch::randn_like(ax);
      const auto back = torch::autograd::grad({ax}, {x}, {y})[0];
      const double left = (ax * y).sum().template item<double>(),
                   right = (x * back).sum().template item<double>();
      RC_ASSERT(std::abs(left - right) <= 1e-12 * (ax.norm() * y.norm()).template item<double>());
    });
  };
  using depthwise = row<{.stride = 2, .groups = nn::depthwise, .bias = nn::bias_term::no}>;
  CHECK(adjoint(std::type_identity<depthwise>{}, mixed_method::direct));
  CHECK(adjoint(std::type_identity<depthwise>{}, mixed_method::spectrum));
  CHECK(adjoint(std::type_identity<nn::mixed_conv2d<few, 6, 4, {.stride = 2, .bias = nn::bias_term::no}>>{},
                mixed_method::spectrum));
}

TEST_CASE("mixed convolution: float and bfloat16 inputs, summed in float") {
  torch::manual_seed(3);
  auto exact = drawn_layer<alone>();
  nn::module<alone> m;
  {
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < m->parameters().size(); ++i) m->parameters()[i].copy_(exact->parameters()[i]);
  }
  const auto x = torch::randn({3, 20, 50}, torch::kDouble);
  CHECK(distance(m->forward(x.to(torch::kFloat)).to(torch::kDouble), exact->forward(x)) < 1e-6);

  const auto half = x.to(torch::kBFloat16).requires_grad_();
  const auto y = m->forward(half);
  CHECK((y.scalar_type() == torch::kBFloat16));
  // What the input lost is not the kernel's: only the output is rounded, by 1/256 of itself at most.
  const auto wanted = exact->forward(half.to(torch::kDouble));
  CHECK(((y.to(torch::kDouble) - wanted).abs() <= wanted.abs() / 256 + 1e-5).all().item<bool>());
  y.sum().backward();
  CHECK((half.grad().scalar_type() == torch::kBFloat16));
  CHECK((m->weight.grad().scalar_type() == torch::kFloat));
}

TEST_CASE("mixed convolution: second derivatives of the kernels are those of LibTorch's convolution") {
  torch::manual_seed(4);
  const auto second_derivatives = [](auto& m, const tensor& x, mixed_method method) {
    std::vector<tensor> inputs = m->parameters();
    inputs.push_back(x);
    m->method = method;
    const auto firsts =
        torch::autograd::grad({m->forward(x).pow(3).sum()}, inputs, {}, std::nullopt, /*create_graph=*/true);
    tensor sum;
    for (const auto& g : firsts) sum = sum.defined() ? sum + g.pow(2).sum() : g.pow(2).sum();
    return torch::autograd::grad({sum}, inputs);
  };
  const auto agree = [&](auto m, const tensor& x, std::initializer_list<mixed_method> methods) {
    const auto wanted = second_derivatives(m, x, mixed_method::kernel);
    for (const auto method : methods) {
      const auto found = second_derivatives(m, x, method);
      for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(distance(found[i], wanted[i]) < 1e-10);
    }
  };
  agree(drawn_layer<row<{.stride = 2, .groups = nn::depthwise}>>(),
        torch::randn({2, 6, 30}, torch::kDouble).requires_grad_(),
        {mixed_method::direct, mixed_method::spectrum});
  agree(drawn_layer<nn::mixed_conv2d<few, 4, 6, {.groups = 2}>>(),
        torch::randn({2, 4, 9, 8}, torch::kDouble).requires_grad_(), {mixed_method::spectrum});
}

TEST_CASE("mixed convolutions are sound modules") {
  torch::manual_seed(5);
  const auto row_input = torch::randn({2, 6, 20}), image = torch::randn({2, 6, 9, 8});
  const auto sound = [](const auto& m, const tensor& x) {
    const auto report = nn::check_module(m, x);
    INFO(report);
    CHECK(report.sound());
  };
  sound(nn::module<nn::mixed_conv1d<few, 6, 4>>(), row_input);
  sound(nn::module<row<{.groups = nn::depthwise}>>(), row_input);
  sound(nn::module<row<{.groups = nn::depthwise, .coefficients = mixing::gumbel}>>(), row_input);
  sound(nn::module<nn::mixed_conv2d<few, 6, 6, {.groups = nn::depthwise}>>(), image);
  sound(nn::module<nn::mixed_conv1d<few, dynamic, dynamic>>(nn::conv_extents{.in = 6, .out = 3}), row_input);
}

TEST_CASE("mixed convolution: the backward pass keeps x, which is the caller's, and the taps") {
  torch::manual_seed(8);
  const auto keeps = []<class Layer>(nn::module<Layer> m, const tensor& x, mixed_method method) {
    m->method = method;
    m->forward(x);  // plans are made once
    const test::live_memory live;
    const auto y = m->forward(x);
    const std::size_t taps = sizeof(float) *
                             static_cast<std::size_t>(Layer::taps * Layer::inputs_seen * Layer::out_features),
                      coefficients = sizeof(float) * static_cast<std::size_t>(Layer::points);
    CHECK(live.bytes() - y.nbytes() <= taps + 2 * coefficients);
    CHECK(live.bytes() - y.nbytes() >= taps);
  };
  const auto row = torch::randn({9, 20, 130}), image = torch::randn({5, 20, 11, 17});
  for (const auto method : {mixed_method::direct, mixed_method::spectrum})
    keeps(nn::module<alone>(), row, method);
  keeps(nn::module<nn::mixed_conv1d<few, 20, 24>>(), row, mixed_method::spectrum);
  keeps(nn::module<nn::mixed_conv2d<few, 20, 24>>(), image, mixed_method::spectrum);
  keeps(nn::module<nn::mixed_conv2d<few, 20, 20, {.groups = nn::depthwise}>>(), image,
        mixed_method::spectrum);
}

TEST_CASE("mixed convolution: the same bits on one thread and on three") {
  torch::manual_seed(6);
  const int before = at::get_num_threads();
  const auto same = [&](auto m, const tensor& x, mixed_method method) {
    m->method = method;
    const auto gy = torch::randn_like(m->forward(x));
    std::vector<std::vector<tensor>> found;
    for (const int threads : {1, 3}) {
      at::set_num_threads(threads);
      const auto in = x.clone().requires_grad_();
      const auto y = m->forward(in);
      found.push_back(torch::autograd::grad({y}, {in, m->weight, m->bias, m->alpha}, {gy}));
      found.back().push_back(y);
    }
    at::set_num_threads(before);
    for (std::size_t i = 0; i < found[0].size(); ++i) CHECK(found[0][i].equal(found[1][i]));
  };
  const auto row = torch::randn({9, 20, 130});
  same(nn::module<alone>(), row, mixed_method::direct);
  same(nn::module<alone>(), row, mixed_method::spectrum);
  same(nn::module<nn::mixed_conv2d<few, 20, 24>>(), torch::randn({5, 20, 11, 17}), mixed_method::spectrum);
}

TEST_CASE(
    "mixed convolution: Gumbel noise in training only, from the generator, and a hard choice with soft "
    "gradients") {
  torch::manual_seed(7);
  nn::module<row<{.coefficients = mixing::gumbel}>> soft;
  nn::module<row<{.coefficients = mixing::hard_gumbel}>> hard;
  const auto first = soft->coefficients();
  CHECK_FALSE(first.equal(soft->coefficients()));
  torch::manual_seed(8);
  const auto again = soft->coefficients();
  torch::manual_seed(8);
  CHECK(again.equal(soft->coefficients()));
  soft->eval();
  CHECK(soft->coefficients().equal(torch::softmax(torch::log_softmax(soft->alpha, 0), 0)));

  const auto chosen = hard->coefficients();
  CHECK((chosen.max() - 1).abs().item<double>() < 1e-6);
  CHECK(chosen.abs().sum().item<double>() == doctest::Approx(1).epsilon(1e-5));
  (chosen * torch::arange(6)).sum().backward();
  CHECK(hard->alpha.grad().abs().max().item<double>() > 1e-3);

  // P(p is largest) is the softmax (Gumbel-max): 20,000 draws of six choices, three deviations of 0.0035.
  {
    const torch::NoGradGuard no_gradient;
    hard->alpha.copy_(torch::tensor({0.0, 1.0, 0.0, -1.0, 0.5, 0.0}));
    auto counts = torch::zeros({6});
    for (int i = 0; i < 20000; ++i) counts += hard->coefficients();
    CHECK((counts / 20000 - torch::softmax(hard->alpha, 0)).abs().max().item<double>() < 0.0105);
  }
}

TEST_CASE("mixed convolution: what cannot be is refused with a sentence") {
  nn::module<nn::mixed_conv1d<few, 4, 6>> m;
  CHECK(test::message_of<usage_error>([&] {
          m->forward(torch::zeros({2, 5, 8}));
        }) ==
        "mixed_conv1d(in=4, out=6, space=product(kernel{3,5},dilation{1,2,3}), mixing=softmax) was given an "
        "input of shape "
        "[2, 5, 8]; it takes [batch, 4, length], with or without the batch.");
  m->method = mixed_method::direct;
  CHECK(test::message_of<usage_error>([&] {
          m->forward(torch::zeros({2, 4, 8}));
        }).find("`direct` takes depthwise convolutions over one axis") != std::string::npos);
  m->method = mixed_method::spectrum;
  CHECK(test::message_of<usage_error>([&] {
          m->forward(torch::zeros({2, 4, 8}, torch::kHalf));
        })
            .find("`spectrum` takes float, double or bfloat16 on the CPU; the input is CPUHalfType of shape "
                  "[2, 4, 8]. "
                  "Choose `automatic`.") != std::string::npos);
  nn::module<nn::mixed_conv1d<few, 4, 6, {.coefficients = mixing::given}>> given;
  CHECK(test::message_of<usage_error>([&] {
          given->forward(torch::zeros({2, 4, 8}), torch::zeros({5}));
        }).find("was given coefficients of shape [5]; it takes one for each of its 6 points.") !=
        std::string::npos);
  using any = nn::mixed_conv1d<few, dynamic, dynamic, {.groups = nn::depthwise}>;
  CHECK(test::message_of<usage_error>([] {
          any layer(nn::conv_extents{.in = 4, .out = 6});
        }).find("a depthwise convolution has as many outputs as inputs.") != std::string::npos);
}
