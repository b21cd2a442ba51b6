#include "fmsb/models/chronos/kernel_synth.hpp"  // kernel_synth, prior_factor, kernels

#include "support/one_thread.hpp"            // one_thread
#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // message_of

#include <ATen/ops/randn.h>  // at::randn

#include <algorithm>  // std::ranges::find
#include <array>      // std::array
#include <cmath>      // std::abs, std::exp

#include "support/doctest.hpp"

using namespace fmsb;
using chronos::kernel, chronos::kernel_sum, chronos::kernel_synth;
using test::message_of;

namespace {

tensor covariance_by_definition(const kernel_sum& k, index_t n) {
  auto out = at::zeros({n, n}, at::TensorOptions().dtype(at::kDouble));
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < n; ++j) out.mutable_data_ptr<double>()[i * n + j] = k(i, j, n);
  return out;
}

kernel_sum alone(const kernel& k) { return {{{k, false}}}; }

}  // namespace

TEST_CASE("the bank has the 33 kernels of the released script") {
  const auto bank = chronos::kernel_bank();
  REQUIRE(bank.size() == 33);
  std::array<int, 6> of_kind{};
  for (const auto& k : bank) ++of_kind[static_cast<std::size_t>(k.is)];
  CHECK(of_kind ==
        std::array{1, 2, 3, 3, 3, 21});  // constant, white, linear, RBF, rational quadratic, periodic
  CHECK(bank[0].text() == "periodic(0.0234375)");  // 24 / 1024
}

TEST_CASE("half of the rough bank are kernels of series that change from row to row, whatever the length") {
  const auto bank = chronos::rough_kernel_bank(101);
  REQUIRE(bank.size() == 66);
  std::array<int, 7> of_kind{};
  for (const auto& k : bank) ++of_kind[static_cast<std::size_t>(k.is)];
  CHECK(of_kind == std::array{1, 7, 3, 3, 3, 21, 28});
  // An autoregression: what it remembers of 2 rows ago falls by e, of 4 by e^2.
  const auto& shortest = *std::ranges::find(bank, kernel::kind::exponential, &kernel::is);
  CHECK(shortest.of_lag(2, 101) == doctest::Approx(std::exp(-1)).epsilon(1e-12));
  CHECK(shortest(9, 5, 101) == doctest::Approx(std::exp(-2)).epsilon(1e-12));
  CHECK(shortest.text() == "exponential(0.02)");
}

TEST_CASE("kernels are scikit-learn's") {
  using enum kernel::kind;
  // at x = 3/10, x' = 7/10; sklearn.gaussian_process.kernels 1.9, to the digits printed
  CHECK(kernel{periodic, 0.375}(3, 7, 11) == doctest::Approx(0.9171772406).epsilon(1e-9));
  CHECK(kernel{linear, 10}(3, 7, 11) == doctest::Approx(100.21).epsilon(1e-12));
  CHECK(kernel{rbf, 0.1}(3, 7, 11) == doctest::Approx(0.0003354626279).epsilon(1e-9));
  CHECK(kernel{rational_quadratic, 0.1}(3, 7, 11) == doctest::Approx(0.9429154448).epsilon(1e-9));
  CHECK(kernel{white_noise, 0.1}(3, 3, 11) == 0.1);
  CHECK(kernel{white_noise, 0.1}(3, 7, 11) == 0);
  CHECK(kernel{constant, 1}(3, 7, 11) == 1);
  CHECK(kernel{exponential, 0.2}(3, 7, 11) ==
        doctest::Approx(0.1353352832).epsilon(1e-9));  // Matern, nu = 1/2
}

TEST_CASE("a covariance matrix is the kernels' sum and product at every pair of rows") {
  const auto bank = chronos::kernel_bank();
  CHECK(test::holds("covariance", [&] {
    random_bits bits(*rc::gen::inRange<std::uint64_t>(0, 100'000));
    const auto k = chronos::draw_kernels(bits, bank, 5);
    const auto n = *rc::gen::inRange<index_t>(2, 40);
    const auto expected = covariance_by_definition(k, n);
    RC_ASSERT((k.lower_covariance(n) - expected.tril()).abs().max().item<double>() <=
              1e-12 * expected.abs().max().item<double>());
  }));
}

TEST_CASE("kernels are joined from left to right") {
  const kernel_sum k{{{{kernel::kind::constant, 1}, false},
                      {{kernel::kind::linear, 1}, false},
                      {{kernel::kind::linear, 0}, true}}};
  CHECK(k.text() == "((constant + linear(1)) * linear(0))");
  CHECK(k(2, 4, 5) == (1 + (1 + 0.5)) * 0.5);
}

TEST_CASE("the factor of every kernel's covariance gives that covariance back") {
  const test::one_thread alone_here;
  for (const auto& k : chronos::kernel_bank()) {
    CAPTURE(k.text());
    const auto expected = covariance_by_definition(alone(k), 200);
    const auto lower = chronos::prior_factor(expected);
    const double size = expected.abs().max().item<double>();
    CHECK((at::mm(lower, lower.t()) - expected).abs().max().item<double>() < 1e-6 * size);
  }
}

TEST_CASE("series of every kernel of the bank have its covariance") {
  const test::one_thread alone_here;
  constexpr index_t n = 24, draws = 4000;
  const auto values = test::normals(6, static_cast<std::size_t>(n * draws));
  const auto normals =
      nn::matrix_view(values, {static_cast<std::size_t>(draws), static_cast<std::size_t>(n)});
  for (const auto& k : chronos::kernel_bank()) {
    CAPTURE(k.text());
    const auto expected = covariance_by_definition(alone(k), n);
    const auto lower = chronos::prior_factor(expected);
    const auto rows = at::mm(normals, lower.t());
    const auto empirical = at::mm(rows.t(), rows) / static_cast<double>(draws);
    // an entry's standard error, sqrt((k_ii k_jj + k_ij^2) / draws), is at most sqrt(2 / 4000) = 2.3 % of the
    // size
    CHECK((empirical - expected).abs().max().item<double>() < 0.1 * expected.abs().max().item<double>());

    const kernel_synth synth({.length = n, .most_kernels = 1, .seed = 2}, {k});
    random_bits bits(2, 7);  // as series number 7 is drawn: first its kernels, then its normals
    (void)chronos::draw_kernels(bits, {k}, 1);
    auto z = at::empty({n}, at::TensorOptions().dtype(at::kDouble));
    for (double& x : nn::values_of(z)) x = data::draw_normal(bits);
    const auto series = synth.draw(7);
    const auto by_factor = at::mv(lower, z), drawn = nn::vector_view(series.channel(0));
    CHECK((by_factor - drawn).abs().max().item<double>() <= 1e-6 * by_factor.abs().max().item<double>());
  }
}

TEST_CASE("a series depends on seed and number alone, and on the threads to 1e-6 of its size") {
  const kernel_synth synth({.length = 300, .seed = 8});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = synth.draw(0, 20);
  at::set_num_threads(3);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto other = synth.draw(i);
    double size = 0, difference = 0;
    for (std::size_t t = 0; t < 300; ++t) {
      size = std::max(size, std::abs(alone[i].channel(0)[t]));
      difference = std::max(difference, std::abs(alone[i].channel(0)[t] - other.channel(0)[t]));
    }
    CHECK(size > 0);
    CHECK(difference <= 1e-6 * size);
  }
  at::set_num_threads(before);
  CHECK(synth.kernels(3).text() == kernel_synth({.length = 20, .seed = 8}).kernels(3).text());
  CHECK(synth.draw(3).channel(0)[5] != kernel_synth({.length = 300, .seed = 9}).draw(3).channel(0)[5]);
}

TEST_CASE("one to five kernels, joined in both ways, are equally likely") {
  const kernel_synth synth;
  std::array<int, 6> counts{};
  int times = 0, joins = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto k = synth.kernels(i);
    ++counts[k.terms.size()];
    CHECK_FALSE(k.terms[0].times);
    for (std::size_t t = 1; t < k.terms.size(); ++t, ++joins) times += k.terms[t].times ? 1 : 0;
  }
  CHECK(counts[0] == 0);
  for (int j = 1; j <= 5; ++j)
    CHECK(std::abs(counts[static_cast<std::size_t>(j)] - 2000) < 160);  // 4 deviations
  CHECK(std::abs(times / double(joins) - 0.5) < 0.015);
}

TEST_CASE("KernelSynth says what it cannot do") {
  CHECK(message_of<usage_error>([] { kernel_synth({.length = 1}); }).find("1 rows") != std::string::npos);
  CHECK(message_of<usage_error>([] { kernel_synth({.most_kernels = 0}); }).find("up to 0") !=
        std::string::npos);
  CHECK_FALSE(message_of<usage_error>([] { kernel_synth({}, {}); }).empty());
  const auto negative = at::eye(3, at::TensorOptions().dtype(at::kDouble)).neg();
  CHECK(message_of<usage_error>([&] { (void)chronos::prior_factor(negative); }).find("not positive") !=
        std::string::npos);
}
