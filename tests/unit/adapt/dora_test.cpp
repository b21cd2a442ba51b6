#include "fmsb/adapt/dora.hpp"  // dora

#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/nn/conv.hpp"      // conv1d, conv2d
#include "fmsb/nn/linear.hpp"    // linear
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "twin.hpp"  // apart, from_differences

#include <ATen/ops/linalg_vector_norm.h>  // at::linalg_vector_norm

#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

template <adapt::lora_options Options = {}, nn::bias_term Bias = nn::bias_term::yes>
using adapted = nn::with<nn::linear<6, 5, Bias>, adapt::dora<3, Options>>;

static_assert(nn::trainable_parameters<adapted<>> == 3 * (6 + 5) + 5);
static_assert(nn::parameters<adapted<>> == 35 + 38);

/// (m / n) o rows of W + s B A, with n detached.
template <class T>
tensor plain_weight(const T& m, double s) {
  const auto v = m.weight + at::mm(m.lora_B, m.lora_A) * s;
  const auto norm = at::linalg_vector_norm(v.detach(), 2, at::IntArrayRef{1});
  return v * (m.lora_magnitude_vector / norm).unsqueeze(1);
}

template <class T>
void require_plain(double s) {
  torch::manual_seed(5);
  nn::module<T> m;
  test::draw_adapters(m);
  for (const auto& x : test::inputs_of(6)) {
    CHECK(test::apart(
              m, [&](const tensor& v) { return at::linear(v, plain_weight(*m, s), m->bias); }, x) == "");
    CHECK(test::distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
  }
}

}  // namespace

TEST_CASE("DoRA is (m / n) o (W + s B A) x + b with n held constant, with the gradients of stock operators") {
  require_plain<adapted<>>(1);
  require_plain<adapted<{.alpha = 12}>>(4);
  require_plain<adapted<{.alpha = 12}, nn::bias_term::no>>(4);
}

TEST_CASE("the norm of W + s B A needs no B A") {
  torch::manual_seed(9);
  const auto w = at::randn({8, 6}, at::kDouble), a = at::randn({3, 6}, at::kDouble),
             b = at::randn({8, 3}, at::kDouble);
  const auto whole = (w + at::mm(b, a) * 0.7).square().sum(1);
  const auto squares = w.square().sum(1);
  CHECK(test::distance(adapt::detail::adapted_row_squares(squares, w, a, b, 0.7, 1), whole) < 1e-13);
  CHECK(test::distance(adapt::detail::adapted_row_squares(squares, w, a, b, 0.7, 1, at::mm(w, a.t())),
                       whole) < 1e-13);
}

TEST_CASE("DoRA begins as its base, which is frozen") {
  nn::module<adapted<>> m;
  auto x = at::randn({4, 6}).requires_grad_();
  CHECK(test::distance(m->forward(x), at::linear(x, m->weight, m->bias)) < 1e-6);
  m->forward(x).sum().backward();
  CHECK_FALSE(m->weight.grad().defined());
  CHECK_FALSE(m->bias.grad().defined());
  CHECK(m->lora_magnitude_vector.grad().defined());
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"weight", "bias", "lora_A", "lora_B", "lora_magnitude_vector"});
  CHECK(m->named_buffers().is_empty());
  CHECK(nn::count_parameters(*m) ==
        nn::parameter_counts{nn::parameters<adapted<>>, nn::trainable_parameters<adapted<>>});
}

TEST_CASE("a weight that changes gets its norms anew, in place or by another tensor") {
  nn::module<adapted<>> m;
  test::draw_adapters(m);
  const auto x = test::inputs_of(6)[0];
  const auto right = [&] {
    return test::distance(m->forward(x), at::linear(x, plain_weight(*m, 1), m->bias)) < 1e-12;
  };
  CHECK(right());
  {
    const torch::NoGradGuard no_gradient;
    m->weight.mul_(3);
  }
  CHECK(right());
  m->weight.set_data(at::randn({5, 6}, at::kDouble));
  CHECK(right());
  for (int i = 0; i < 20; ++i) {  // memory that is freed may come back at the same place
    m->weight.set_data(at::empty({0}, at::kDouble));
    m->weight.set_data(at::randn({5, 6}, at::kDouble));
    CHECK(right());
  }
  m->start_from_base();
  m->lora_B.data().zero_();
  m->start_from_base();
  CHECK(test::distance(m->forward(x), at::linear(x, m->weight, m->bias)) < 1e-12);
}

TEST_CASE("a clone of DoRA goes its own way") {
  nn::module<adapted<>> m;
  test::draw_adapters(m);
  const auto x = test::inputs_of(6)[0];
  m->forward(x);
  auto copy = test::cloned(m);
  CHECK(test::distance(copy->forward(x), m->forward(x)) < 1e-14);
  const torch::NoGradGuard no_gradient;
  copy->weight.mul_(2);
  CHECK(test::distance(copy->forward(x), at::linear(x, plain_weight(*copy, 1), copy->bias)) < 1e-12);
  CHECK(test::distance(m->forward(x), at::linear(x, plain_weight(*m, 1), m->bias)) < 1e-12);
}

TEST_CASE("a row of zeros gives zeros, not a division by zero") {
  nn::module<adapted<>> m;
  m->weight.data().select(0, 2).zero_();
  m->start_from_base();
  auto x = at::randn({4, 6}).requires_grad_();
  const auto y = m->forward(x);
  CHECK(test::distance(y, at::linear(x, m->weight, m->bias)) < 1e-6);
  y.sum().backward();
  CHECK(x.grad().isfinite().all().item<bool>());
  CHECK(m->lora_magnitude_vector.grad().isfinite().all().item<bool>());
}

TEST_CASE("with dropout, in training, base and branch are rescaled on the dropped input") {
  nn::module<adapted<{.alpha = 6, .dropout = 0.5}>> m;
  test::draw_adapters(m);
  const auto x = at::randn({7, 6}, at::kDouble);
  torch::manual_seed(4);
  const auto ours = m->forward(x);
  torch::manual_seed(4);
  const auto dropped = at::dropout(x, 0.5, true);
  const auto w = plain_weight(*m, 2);
  const auto twin = at::linear(x, m->weight, m->bias) + at::linear(dropped, w - m->weight);
  CHECK(test::distance(ours, twin) < 1e-12);
  m->eval();
  CHECK(test::distance(m->forward(x), at::linear(x, w, m->bias)) < 1e-12);
}

TEST_CASE("DoRA on a convolution rescales its channels, in groups too") {
  const auto check = [](auto m, const tensor& x, index_t groups) {
    test::draw_adapters(m);
    auto shape = m->weight.sizes().vec();
    const auto delta = adapt::low_rank_weight(m->lora_A, m->lora_B, groups);
    const auto v = m->weight + delta;
    const auto norm = at::linalg_vector_norm(v.detach().flatten(1), 2, at::IntArrayRef{1});
    auto wide = std::vector<index_t>(shape.size(), 1);
    wide[0] = -1;
    const auto w = v * (m->lora_magnitude_vector.view(-1) / norm).view(wide);
    CHECK(test::apart(
              m,
              [&](const tensor& input) {
                const auto v2 = m->weight + adapt::low_rank_weight(m->lora_A, m->lora_B, groups);
                const auto w2 = v2 * (m->lora_magnitude_vector.view(-1) / norm).view(wide);
                return m->with_bias(m->map(input, w2), m->bias);
              },
              x) == "");
    CHECK(test::distance(m->effective_weight(), w) < 1e-12);
    CHECK(test::distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
  };
  const auto o = at::TensorOptions().dtype(at::kDouble);
  check(nn::module<nn::with<nn::conv1d<4, 6, 3>, adapt::dora<2>>>(), at::randn({2, 4, 9}, o).requires_grad_(),
        1);
  check(nn::module<nn::with<nn::conv2d<4, 6, 3, {.groups = 2}>, adapt::dora<2>>>(),
        at::randn({2, 4, 5, 6}, o).requires_grad_(), 2);
  CHECK(nn::module<nn::with<nn::conv2d<4, 6, 3>, adapt::dora<2>>>()->lora_magnitude_vector.sizes() ==
        at::IntArrayRef{1, 6, 1, 1});
}
