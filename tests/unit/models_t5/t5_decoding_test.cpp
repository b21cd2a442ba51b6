#include "fmsb/models/t5.hpp"  // t5, t5_decoding

#include "unit/models_t5/t5_support.hpp"  // tiny_t5, t5_fixture, distance

#include <ATen/ops/randint.h>  // at::randint

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::distance, test::t5_fixture, test::tiny, test::tiny_t5;

TEST_CASE("token by token gives the logits of the whole, for one and for several samples, padded and not") {
  const torch::NoGradGuard no_gradient;
  torch::manual_seed(12);
  auto model = tiny_t5();
  const auto ids = t5_fixture("ids");
  for (const bool padded : {true, false})
    for (const index_t samples : {1, 3}) {
      CAPTURE(padded);
      CAPTURE(samples);
      const auto mask = padded ? t5_fixture("mask") : tensor();
      const auto encoded = model->encode(ids, mask);
      const index_t steps = 70;  // more than the bias is made for at first
      auto tokens = at::randint(2, 40, {3, samples, steps}, at::kLong);
      tokens.select(2, 0).zero_();

      auto decoding = model->start(encoded, mask, samples);
      tensor parts = at::empty({3, samples, steps, 40});
      for (index_t t = 0; t < steps; ++t) parts.select(2, t).copy_(decoding.step(tokens.select(2, t)));
      CHECK(decoding.length() == steps);

      for (index_t s = 0; s < samples; ++s) {
        const auto whole = model->decode(tokens.select(1, s), encoded, mask);
        CHECK(distance(parts.select(1, s), whole) < 1e-5);
      }
    }
}

TEST_CASE("several samples give, to the bit, the logits of each alone, whether they begin alike or not") {
  const torch::NoGradGuard no_gradient;
  torch::manual_seed(13);
  auto model = tiny_t5();
  const auto mask = t5_fixture("mask"), encoded = model->encode(t5_fixture("ids"), mask);
  for (const bool alike : {true, false}) {
    CAPTURE(alike);
    auto tokens = at::randint(2, 40, {3, 4, 3}, at::kLong);
    if (alike) tokens.select(2, 0).copy_(tokens.select(2, 0).narrow(1, 0, 1).expand({3, 4}).clone());
    auto together = model->start(encoded, mask, 4);
    std::vector<decltype(together)> alone(4, model->start(encoded, mask, 1));
    for (index_t t = 0; t < 3; ++t) {
      const auto logits = together.step(tokens.select(2, t));
      for (index_t s = 0; s < 4; ++s)
        CHECK(logits.narrow(1, s, 1).equal(
            alone[static_cast<std::size_t>(s)].step(tokens.select(2, t).narrow(1, s, 1))));
    }
  }
}

TEST_CASE("the likeliest tokens are those of transformers") {
  auto model = tiny_t5();
  const auto mask = t5_fixture("mask"), expected = t5_fixture("generated");
  auto decoding = model->start(model->encode(t5_fixture("ids"), mask).detach(), mask);
  auto tokens = expected.narrow(1, 0, 1);
  for (index_t t = 1; t < expected.size(1); ++t) {
    const auto logits = decoding.step(tokens);
    CHECK_FALSE(logits.requires_grad());
    tokens = logits.argmax(-1);
    CHECK(tokens.equal(expected.narrow(1, t, 1)));
  }
}

TEST_CASE("a copy of a decoding goes its own way") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_t5();
  const auto mask = t5_fixture("mask");
  const auto zero = at::zeros({3, 2}, at::kLong), five = at::full({3, 2}, 5, at::kLong), seven = five + 2;
  auto one = model->start(model->encode(t5_fixture("ids"), mask), mask, 2);
  one.step(zero);
  one.step(five);
  auto other = one;
  const auto with_five = one.step(five);
  const auto with_seven = other.step(seven);
  CHECK_FALSE(with_five.allclose(with_seven));
  const auto again = one.step(seven);
  auto fresh = model->start(model->encode(t5_fixture("ids"), mask), mask, 2);
  for (const auto& tokens : {zero, five, five}) fresh.step(tokens);
  CHECK(distance(again, fresh.step(seven)) < 1e-6);
  CHECK(one.length() == 4);
  CHECK(other.length() == 3);
}

TEST_CASE("a decoding names the shape that it takes") {
  auto model = tiny_t5();
  auto decoding = model->start(model->encode(t5_fixture("ids")), {}, 2);
  CHECK_THROWS_WITH_AS(decoding.step(at::zeros({3}, at::kLong)),
                       "fmsb::models::t5_decoding was given tokens of shape [3]; it decodes 2 samples of 3 "
                       "series: give [3, 2].",
                       usage_error);
}
