#include "fmsb/adapt/fourier_ft.hpp"  // fourier_ft, first_of_permutation

#include "fmsb/adapt/lora.hpp"   // lora: stacked on it
#include "fmsb/adapt/merge.hpp"  // merge
#include "fmsb/nn/linear.hpp"    // linear
#include "fmsb/nn/tree.hpp"      // count_parameters

#include "support/property.hpp"
#include "twin.hpp"  // apart, from_differences

#include <ATen/CPUGeneratorImpl.h>  // at::make_generator
#include <ATen/ops/fft_ifft2.h>     // at::fft_ifft2: the definition
#include <ATen/ops/randperm.h>      // at::randperm
#include <ATen/ops/real.h>          // at::real

#include <numeric>  // std::iota
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::fourier_form;

namespace {

std::vector<index_t> torch_permutation(index_t size, index_t count, std::uint64_t seed) {
  const auto all = at::randperm(size, at::make_generator<at::CPUGeneratorImpl>(seed));
  return {all.data_ptr<index_t>(), all.data_ptr<index_t>() + count};
}

/// s Re(ifft2(F)), with F put together entry by entry.
tensor defined_delta(const tensor& c, index_t out, index_t in, std::uint64_t seed, double scaling) {
  const auto at = adapt::first_of_permutation(out * in, c.size(0), seed);
  const auto places = at::from_blob(const_cast<index_t*>(at.data()), {c.size(0)}, at::kLong).clone();
  const auto f = at::zeros({out * in}, c.options()).index_add(0, places, c).view({out, in});
  return at::real(at::fft_ifft2(f)) * scaling;
}

template <index_t N, fourier_form Form, index_t In = 6, index_t Out = 5>
using adapted = nn::with<nn::linear<In, Out>, adapt::fourier_ft<N, {.scaling = 20, .form = Form}>>;

static_assert(nn::trainable_parameters<adapted<7, fourier_form::factored>> == 7);
static_assert(nn::parameters<adapted<7, fourier_form::factored>> == 42);

template <class T>
void require_plain(index_t in, double scaling = 20) {
  torch::manual_seed(5);
  nn::module<T> m;
  test::draw_adapters(m, 1);
  const auto twin = [&](const tensor& v) {
    const auto delta = defined_delta(m->fourierft_spectrum, m->weight.size(0), in, 777, scaling);
    return at::linear(v, m->weight + delta, m->bias);
  };
  for (const auto& x : test::inputs_of(in)) {
    CHECK(test::apart(m, twin, x) == "");
    CHECK(test::distance(adapt::merge(m)->forward(x), m->forward(x)) < 1e-12);
  }
  CHECK(test::from_differences(m, test::inputs_of(in)[0]) < 1e-6);
}

/// Every size, odd and even, with few and with all entries.
template <fourier_form Form>
void require_all_sizes() {
  require_plain<adapted<1, Form>>(6);
  require_plain<adapted<7, Form>>(6);
  require_plain<adapted<30, Form>>(6);
  require_plain<adapted<63, Form, 7, 9>>(7);
  require_plain<adapted<20, Form, 8, 4>>(8);
  require_plain<adapted<3, Form, 1, 5>>(1);
  require_plain<adapted<3, Form, 5, 1>>(5);
}

}  // namespace

TEST_CASE("the locations of seed 777 in a 256 x 256 weight are those of torch.randperm") {
  CHECK(adapt::first_of_permutation(256 * 256, 8, 777) ==
        std::vector<index_t>{63591, 24750, 55563, 26066, 56799, 48682, 10933, 37682});
}

TEST_CASE("the front of a permutation equals torch.randperm's at every size, count and seed") {
  for (const index_t size : {1, 2, 3, 5, 16, 625, 1000, 4096, 65536, 1048576})
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{777}, std::uint64_t{1} << 40})
      for (const index_t count : {index_t{1}, size / 2, size})
        if (count <= 70000)
          CHECK(adapt::first_of_permutation(size, count, seed) == torch_permutation(size, count, seed));
  CHECK(test::holds("first_of_permutation is randperm", [] {
    const index_t size = *rc::gen::inRange(1, 3000);
    const index_t count = *rc::gen::inRange<index_t>(0, size + 1);
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    RC_ASSERT(adapt::first_of_permutation(size, count, seed) == torch_permutation(size, count, seed));
  }));
}

TEST_CASE("a permutation that grows as it is shuffled keeps its first numbers without the others") {
  CHECK(test::holds("grown_shuffled is the full array's front", [] {
    const index_t size = *rc::gen::inRange(1, 500);
    const index_t count = *rc::gen::inRange<index_t>(0, size + 1);
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    at::mt19937 draw(seed);
    std::vector<index_t> all(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::uint64_t high = draw(), low = draw();
      const auto z = static_cast<std::size_t>((high << 32 | low) % (i + 1));
      all[i] = static_cast<index_t>(i);
      all[i] = all[z];
      all[z] = static_cast<index_t>(i);
    }
    all.resize(static_cast<std::size_t>(count));
    RC_ASSERT(adapt::detail::grown_shuffled(size, count, seed) == all);
  }));
}

TEST_CASE("the factored form is W x + b + s Re(ifft2(F)) x, with the gradients of stock operators") {
  require_all_sizes<fourier_form::factored>();
}

TEST_CASE("the dense form is the same") {
  require_all_sizes<fourier_form::dense>();
  // Enough entries for the transforms, forward and backward: 4 n flops cost more than a transform.
  require_plain<adapted<120, fourier_form::dense, 12, 10>>(12);
  require_plain<adapted<143, fourier_form::dense, 13, 11>>(13);
}

TEST_CASE("a transform of the entries and of the gradient is a product of the factors") {
  CHECK(test::holds("by_transform is U' diag(c, c) V", [] {
    const index_t out = *rc::gen::inRange(1, 12), in = *rc::gen::inRange(1, 12);
    const index_t n = *rc::gen::inRange<index_t>(1, out * in + 1);
    const adapt::detail::spectrum_basis basis({out, in, n, 7, at::kDouble, at::DeviceType::CPU, -1});
    const auto c = at::randn({n}, at::kDouble), g = at::randn({out, in}, at::kDouble);
    const auto product = at::mm((basis.u * at::cat({c, c}, 0).unsqueeze(1)).t(), basis.v);
    RC_ASSERT(test::distance(basis.by_transform(c), product) < 1e-12);
    // <dW(c), G> = <c, entries_of(G)>: one is the adjoint of the other.
    RC_ASSERT(std::abs((product * g).sum().item<double>() - (c * basis.entries_of(g)).sum().item<double>()) <
              1e-12);
  }));
}

TEST_CASE("the dense form pays from a number of tokens on, which the extents fix") {
  constexpr adapt::spectrum_costs wide{768, 768, 100}, many{768, 768, 1000};
  static_assert(wide.dense_from(true) > 64 && wide.dense_from(true) < 1024);
  static_assert(many.dense_from(true) < wide.dense_from(true));
  static_assert(wide.dense_from(false) > wide.dense_from(true) * 0.99);
  nn::module<nn::with<nn::linear<768, 768>, adapt::fourier_ft<100>>> m;
  CHECK(m->form_for(64, true) == fourier_form::factored);
  CHECK(m->form_for(1024, true) == fourier_form::dense);
  nn::module<nn::with<nn::linear<dynamic, dynamic>, adapt::fourier_ft<100>>> loose(
      nn::linear_extents{.in = 768, .out = 768});
  CHECK(loose->form_for(64, true) == fourier_form::factored);
  CHECK(loose->form_for(1024, true) == fourier_form::dense);
  nn::module<adapted<7, fourier_form::dense>> forced;
  CHECK(forced->form_for(1, true) == fourier_form::dense);
}

TEST_CASE("both forms of a wide layer agree in float, whatever the choice") {
  torch::manual_seed(2);
  using factored = nn::with<nn::linear<96, 64>, adapt::fourier_ft<200, {.form = fourier_form::factored}>>;
  using dense = nn::with<nn::linear<96, 64>, adapt::fourier_ft<200, {.form = fourier_form::dense}>>;
  nn::module<factored> a;
  nn::module<dense> b;
  b->weight.data().copy_(a->weight);
  b->bias.data().copy_(a->bias);
  b->fourierft_spectrum.data().copy_(a->fourierft_spectrum);
  for (const index_t tokens : {1, 20, 3000}) {
    const auto x = at::randn({tokens, 96});
    const auto gy = at::randn({tokens, 64});
    const auto of = [&](auto& m) {
      auto leaf = x.clone().requires_grad_();
      const auto y = m->forward(leaf);
      auto gradients = torch::autograd::grad({y}, {leaf, m->fourierft_spectrum}, {gy});
      gradients.push_back(y.detach());
      return gradients;
    };
    const auto one = of(a), other = of(b);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(test::distance(one[i], other[i]) < 1e-5);
  }
}

TEST_CASE("a spectrum starts from N(0, 1), or from zeros as its base") {
  torch::manual_seed(3);
  nn::module<nn::with<nn::linear<40, 50>, adapt::fourier_ft<1000>>> m;
  CHECK(std::abs(m->fourierft_spectrum.mean().item<double>()) < 0.15);
  CHECK(std::abs(m->fourierft_spectrum.std().item<double>() - 1) < 0.1);
  nn::module<nn::with<nn::linear<40, 50>, adapt::fourier_ft<10, {.starts_as_base = true}>>> base;
  const auto x = at::randn({4, 40});
  CHECK(test::distance(base->forward(x), at::linear(x, base->weight, base->bias)) < 1e-6);
}

TEST_CASE("a base under a spectrum is frozen, and thawed it gets its gradient") {
  using T = adapted<7, fourier_form::automatic>;
  nn::module<T> m;
  auto x = at::randn({4, 6}).requires_grad_();
  m->forward(x).sum().backward();
  CHECK_FALSE(m->weight.grad().defined());
  CHECK(m->named_parameters().keys() == std::vector<std::string>{"weight", "bias", "fourierft_spectrum"});
  CHECK(m->named_buffers().is_empty());
  CHECK(nn::count_parameters(*m) == nn::parameter_counts{42, 7});
  m->weight.set_requires_grad(true);
  m->forward(x).sum().backward();
  CHECK(m->weight.grad().defined());
}

TEST_CASE("clones and layers of equal shape share their waves, and a number type has its own") {
  nn::module<adapted<7, fourier_form::factored>> m, other;
  auto copy = test::cloned(m);
  const auto x = at::randn({3, 6});
  CHECK(copy->forward(x).equal(m->forward(x)));
  CHECK(adapt::detail::shared_basis({5, 6, 7, 777, at::kFloat, at::DeviceType::CPU, -1}) ==
        adapt::detail::shared_basis({5, 6, 7, 777, at::kFloat, at::DeviceType::CPU, -1}));
  m->to(torch::kDouble);
  CHECK(test::distance(m->forward(x.to(at::kDouble)).to(at::kFloat), copy->forward(x)) < 1e-5);
}

TEST_CASE("a spectrum stacks with other adapters") {
  nn::module<nn::with<nn::linear<6, 5>, adapt::lora<2>, adapt::fourier_ft<7>>> above;
  nn::module<nn::with<nn::linear<6, 5>, adapt::fourier_ft<7>, adapt::lora<2>>> below;
  test::draw_adapters(above);
  test::draw_adapters(below);
  const auto x = test::inputs_of(6)[1];
  CHECK(test::distance(adapt::merge(above)->forward(x), above->forward(x)) < 1e-12);
  CHECK(test::distance(adapt::merge(below)->forward(x), below->forward(x)) < 1e-12);
}

TEST_CASE("a weight with fewer numbers than entries is refused") {
  using loose = nn::with<nn::linear<dynamic, dynamic>, adapt::fourier_ft<7>>;
  CHECK_THROWS_WITH_AS(nn::module<loose>(nn::linear_extents{.in = 3, .out = 2}),
                       "linear(in=3, out=2) has a weight of 6 numbers; a spectrum with 7 entries does not "
                       "fit. Use a smaller fourier_ft<N>.",
                       usage_error);
}
