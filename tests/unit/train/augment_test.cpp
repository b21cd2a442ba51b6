#include "fmsb/train/augment.hpp"  // reverse_complements, mirrored, shifted, hidden

#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/data/one_hot.hpp"  // one_hot, reverse_complement

#include "support/message.hpp"

#include <array>   // std::array
#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

tensor numbered(std::vector<index_t> sizes) {
  index_t count = 1;
  for (const auto size : sizes) count *= size;
  return at::arange(1, count + 1, at::kFloat).view(sizes);
}

/// How many examples of a batch are `to` where `from` was.
index_t equal_rows(const tensor& a, const tensor& b) {
  return a.eq(b).flatten(1).all(1).sum().item<index_t>();
}

}  // namespace

TEST_CASE("half of the sequences become the other strand that data::reverse_complement gives") {
  torch::manual_seed(3);
  constexpr index_t kCopies = 400;
  const std::string text = "AATCGNGA";
  std::vector<float> values(5 * text.size());
  for (std::size_t k = 0; k < text.size(); ++k)
    values[data::one_hot_rows.find(text[k]) * text.size() + k] = 1;
  std::vector<float> other(values.size());
  data::reverse_complement(values, other);
  const auto as_batch = [&](std::vector<float>& of) {
    return at::from_blob(of.data(), {1, 5, static_cast<index_t>(text.size())}).clone();
  };
  const auto one = as_batch(values).repeat({kCopies, 1, 1}), strand = as_batch(other).repeat({kCopies, 1, 1});
  const auto changed = train::reverse_complements()(one);
  const auto kept = equal_rows(changed, one), turned = equal_rows(changed, strand);
  CHECK(kept + turned == kCopies);
  CHECK(turned > kCopies * 2 / 5);
  CHECK(turned < kCopies * 3 / 5);
}

TEST_CASE("half of the images are mirrored, along their rows alone") {
  torch::manual_seed(4);
  const auto x = numbered({1, 2, 3, 4}).repeat({400, 1, 1, 1});
  const auto changed = train::mirrored()(x);
  const auto kept = equal_rows(changed, x), turned = equal_rows(changed, x.flip(3));
  CHECK(kept + turned == 400);
  CHECK(turned > 160);
  CHECK(turned < 240);
}

TEST_CASE("every shift up to the largest comes, zeros follow, and channels move together") {
  torch::manual_seed(5);
  const auto x = numbered({1, 2, 6}).repeat({300, 1, 1});
  const auto changed = train::shifted(2)(x);
  std::array<index_t, 5> seen{};
  for (index_t by = -2; by <= 2; ++by) {
    auto moved = at::zeros_like(x);
    if (by >= 0) moved.slice(2, by).copy_(x.slice(2, 0, 6 - by));
    if (by < 0) moved.slice(2, 0, 6 + by).copy_(x.slice(2, -by));
    seen[static_cast<std::size_t>(by + 2)] = equal_rows(changed, moved);
  }
  index_t all = 0;
  for (const auto count : seen) {
    CHECK(count > 30);
    all += count;
  }
  CHECK(all == 300);
}

TEST_CASE("images are shifted along both axes, by draws of their own") {
  torch::manual_seed(6);
  auto x = at::zeros({500, 1, 5, 5});
  x.select(2, 2).select(2, 2).fill_(1);  // a dot in the middle
  const auto where = train::shifted(2)(x).sum(0).squeeze(0);
  CHECK(where.sum().item<double>() == 500);
  CHECK(where.gt(0).sum().item<index_t>() == 25);
}

TEST_CASE("a share of the positions is hidden, with all of their channels") {
  torch::manual_seed(7);
  const auto x = at::ones({20, 3, 500});
  const auto changed = train::hidden(0.1)(x);
  const auto held = changed.sum(1);
  CHECK(held.eq(0).logical_or(held.eq(3)).all().item<bool>());
  CHECK(held.eq(0).to(at::kDouble).mean().item<double>() == doctest::Approx(0.1).epsilon(0.1));
}

TEST_CASE("changes in turn are each of them, and the same seed draws the same") {
  const auto x = numbered({8, 5, 12});
  const auto both = train::in_turn({train::reverse_complements(), train::shifted(3)});
  torch::manual_seed(8);
  const auto first = both(x);
  torch::manual_seed(8);
  CHECK(train::shifted(3)(train::reverse_complements()(x)).equal(first));
  CHECK(train::in_turn({})(x).equal(x));
}

TEST_CASE("a batch of another kind and an empty change are refused") {
  const auto pixels = at::zeros({2, 1, 4, 4}), rows = at::zeros({2, 4});
  CHECK_THROWS_AS(train::reverse_complements()(pixels), usage_error);
  CHECK_THROWS_AS(train::mirrored()(rows), usage_error);
  CHECK_THROWS_AS(train::shifted(1)(rows), usage_error);
  CHECK(test::says(test::message_of<usage_error>([] { train::shifted(0); }),
                   {"up to 0 positions", "at least 1"}));
  CHECK(test::says(test::message_of<usage_error>([] { train::hidden(1); }), {"1", "between 0 and 1"}));
}
