#include "fmsb/nn/rotary.hpp"  // rotary, no_rotation

#include "fmsb/core/error.hpp"  // usage_error

#include "support/property.hpp"

#include <ATen/ops/randn.h>  // at::randn

#include <cmath>    // std::cos, std::sin, std::pow
#include <complex>  // std::complex, std::polar

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

constexpr double base = 100;

/// The definition: feature i and i + d/2 are a complex number, turned by the position.
tensor by_definition(const tensor& x, index_t first) {
  auto y = x.clone();
  const index_t half = x.size(-1) / 2;
  const auto rows = x.reshape({-1, x.size(-2), x.size(-1)});
  auto turned = y.view({-1, x.size(-2), x.size(-1)});
  for (index_t r = 0; r < rows.size(0); ++r)
    for (index_t t = 0; t < rows.size(1); ++t)
      for (index_t i = 0; i < half; ++i) {
        const double angle = double(first + t) * std::pow(base, -2.0 * double(i) / double(2 * half));
        const std::complex<double> z(rows[r][t][i].item<double>(), rows[r][t][i + half].item<double>());
        const auto w = z * std::polar(1.0, angle);
        turned[r][t][i] = w.real();
        turned[r][t][i + half] = w.imag();
      }
  return y;
}

struct drawn {
  index_t first, tokens, d;
  tensor x;
  drawn()
      : first(*rc::gen::inRange<index_t>(0, 500)),
        tokens(*rc::gen::inRange<index_t>(1, 5)),
        d(2 * *rc::gen::inRange<index_t>(1, 5)) {
    at::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    x = at::randn({2, 3, tokens, d}, at::kDouble);
  }
};

double largest(const tensor& x) { return x.abs().max().item<double>(); }

}  // namespace

TEST_CASE("rotary is its definition: pairs as complex numbers, turned by their position") {
  CHECK(test::holds("definition", [] {
    const drawn given;
    RC_ASSERT(largest(nn::rotary<base>{}(given.x, given.first) - by_definition(given.x, given.first)) <
              1e-11);
  }));
}

TEST_CASE("rotary keeps every length, and scores depend on the distance of positions alone") {
  CHECK(test::holds("length and distance", [] {
    const drawn q, k;
    const nn::rotary<base> turn;
    RC_ASSERT(largest(turn(q.x, q.first).norm(2, {-1}) - q.x.norm(2, {-1})) < 1e-12);

    const auto keys = at::randn_like(q.x);
    const auto scores = [&](index_t shift) {
      return at::matmul(turn(q.x, q.first + shift), turn(keys, k.first + shift).transpose(-2, -1));
    };
    RC_ASSERT(largest(scores(0) - scores(k.tokens * 17)) < 1e-10);
  }));
}

TEST_CASE("rotary at position zero does nothing, and tokens one by one are the tokens together") {
  CHECK(test::holds("beginning and parts", [] {
    const drawn given;
    const nn::rotary<base> turn;
    RC_ASSERT(turn(given.x, 0).select(2, 0).equal(given.x.select(2, 0)));
    const auto whole = turn(given.x, given.first);
    for (index_t t = 0; t < given.tokens; ++t)
      RC_ASSERT(turn(given.x.narrow(2, t, 1), given.first + t).equal(whole.narrow(2, t, 1)));
    RC_ASSERT(nn::no_rotation{}(given.x, given.first).is_same(given.x));
  }));
}

TEST_CASE("the angles of half-precision numbers are those of float") {
  at::manual_seed(3);
  const auto x = at::randn({1, 1, 4, 8}).to(at::kBFloat16);
  const auto y = nn::rotary<>{}(x, 3000);
  CHECK((y.scalar_type() == at::kBFloat16));
  const double difference = largest(y.to(at::kFloat) - nn::rotary<>{}(x.to(at::kFloat), 3000));
  CHECK(difference < 0.05);  // eight bits; angles rounded to bfloat16 would be anything
}

TEST_CASE("rotary says that pairs need an even number of features") {
  CHECK_THROWS_WITH_AS(
      nn::rotary<>{}(at::zeros({1, 1, 2, 3}), 0),
      "fmsb::nn::rotary turns pairs of features, but a head has 3. Choose inner / heads even.", usage_error);
}
