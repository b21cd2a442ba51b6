#include "fmsb/models/chronos/sampling.hpp"  // token_sampler, token_choice

#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // chronos_fixture, normals

#include <cmath>    // std::exp
#include <numeric>  // std::accumulate

#include "support/doctest.hpp"

using namespace fmsb;
using chronos::sampling_options, chronos::token_choice, chronos::token_sampler;
using test::message_of, test::read;

namespace {

/// Probabilities of all tokens by sorting the whole row: temperature, then top_k with ties, then top_p from
/// below.
std::vector<double> plain_choice(const std::vector<float>& logits, const sampling_options& o,
                                 const std::vector<index_t>& banned) {
  std::vector<double> x(logits.begin(), logits.end());
  for (const index_t b : banned) x[static_cast<std::size_t>(b)] = -INFINITY;
  auto sorted = x;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double least = o.top_k == 0 || o.top_k >= static_cast<index_t>(x.size())
                           ? -INFINITY
                           : sorted[static_cast<std::size_t>(o.top_k) - 1];
  std::vector<double> p(x.size(), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] >= least) p[i] = std::exp((x[i] - sorted[0]) / o.temperature);
  const auto normalise = [&] {
    const double all = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) value /= all;
  };
  normalise();
  if (o.top_p < 1) {
    std::vector<std::size_t> order(p.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
    double below = 0;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      below += p[order[i]];
      if (below > 1 - o.top_p) break;
      p[order[i]] = 0;
    }
    normalise();
  }
  return p;
}

/// What a token_choice says, as probabilities of all tokens.
std::vector<double> chosen(const token_choice& choice, std::size_t vocabulary) {
  std::vector<double> p(vocabulary, 0.0);
  const double all = std::accumulate(choice.weights().begin(), choice.weights().end(), 0.0);
  for (std::size_t i = 0; i < choice.tokens().size(); ++i)
    p[static_cast<std::size_t>(choice.tokens()[i])] = choice.weights()[i] / all;
  return p;
}

std::vector<float> draw_logits() {
  const auto size = *rc::gen::inRange<std::size_t>(2, 700);
  const auto kind = *rc::gen::inRange(0, 4);
  const auto noise = test::normals(*rc::gen::inRange<std::uint64_t>(0, 10000), size);
  std::vector<float> x(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double from_middle = (static_cast<double>(i) - 0.4 * static_cast<double>(size)) / 20;
    x[i] = static_cast<float>(kind == 0   ? 3 * noise[i]
                              : kind == 1 ? -from_middle * from_middle + 0.1 * noise[i]
                              : kind == 2 ? std::round(noise[i])  // many ties
                                          : static_cast<double>(i));
  }
  if (size > 5 && *rc::gen::arbitrary<bool>()) x[3] = -INFINITY;
  return x;
}

tensor random_logits(index_t series, index_t samples, index_t vocabulary, std::uint64_t seed) {
  const auto values = test::normals(seed, static_cast<std::size_t>(series * samples * vocabulary));
  return nn::vector_view(values).to(at::kFloat).mul(2).reshape({series, samples, vocabulary});
}

}  // namespace

TEST_CASE("the tokens kept and their probabilities are those of sorting the whole row") {
  token_choice choice;  // one object for all rows: what is left of an earlier row must not show
  CHECK(test::holds("selection is sorting", [&] {
    const auto logits = draw_logits();
    const auto size = static_cast<index_t>(logits.size());
    const sampling_options o{.temperature = *rc::gen::element(0.3, 1.0, 2.5),
                             .top_k = *rc::gen::element<index_t>(0, 1, 2, 5, 50, size - 1, size, size + 9),
                             .top_p = *rc::gen::element(1.0, 1.0, 0.95, 0.5, 0.01, 0.0)};
    std::vector<index_t> banned;
    if (size > 8 && *rc::gen::arbitrary<bool>()) banned = {1, size - 1};
    choice.look_at(logits, o, banned);
    const auto got = chosen(choice, logits.size()), expected = plain_choice(logits, o, banned);
    RC_ASSERT(std::is_sorted(choice.tokens().begin(), choice.tokens().end()));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      RC_ASSERT((got[i] > 0) == (expected[i] > 0));
      RC_ASSERT(std::abs(got[i] - expected[i]) < 1e-12);
    }
  }));
}

TEST_CASE("the tokens kept and their probabilities are those of Python's transformers") {
  const auto file = test::chronos_fixture("choice.safetensors");
  const auto logits = read(file, "logits");
  const auto vocabulary = logits.size(1);
  const std::vector<std::pair<std::string, sampling_options>> cases{{"50.1.1", {1, 50, 1}},
                                                                    {"1.1.1", {1, 1, 1}},
                                                                    {"50.0.9.1", {1, 50, 0.9}},
                                                                    {"0.0.5.1", {1, 0, 0.5}},
                                                                    {"0.1.2", {2, 0, 1}},
                                                                    {"5.0.3.0.5", {0.5, 5, 0.3}},
                                                                    {"199.0.99.1.5", {1.5, 199, 0.99}}};
  token_choice choice;
  const std::vector<index_t> end{1};
  for (const auto& [name, o] : cases) {
    CAPTURE(name);
    const auto kept = read(file, "kept." + name), probabilities = read(file, "probabilities." + name);
    for (index_t row = 0; row < logits.size(0); ++row) {
      CAPTURE(row);
      choice.look_at(
          {logits.const_data_ptr<float>() + row * vocabulary, static_cast<std::size_t>(vocabulary)}, o, end);
      auto got = chosen(choice, static_cast<std::size_t>(vocabulary));
      std::vector<double> expected(got.size());
      for (index_t i = 0; i < vocabulary; ++i) {
        expected[static_cast<std::size_t>(i)] = probabilities[row][i].item<double>();
        CHECK((expected[static_cast<std::size_t>(i)] > 0) == kept[row][i].item<bool>());
      }
      if (row == 2 || row == 3) {  // of equal logits, top_p leaves out those that an unstable sort put first
        std::sort(got.begin(), got.end());
        std::sort(expected.begin(), expected.end());
      }
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK((got[i] > 0) == (expected[i] > 0));
        CHECK(std::abs(got[i] - expected[i]) < 1e-6);
      }
    }
  }
}

TEST_CASE("a temperature divides the logits") {
  CHECK(test::holds("temperature", [] {
    const auto logits = draw_logits();
    auto divided = logits;
    for (float& x : divided) x /= 4;  // exact
    token_choice hot, plain;
    hot.look_at(logits, {.temperature = 4, .top_k = 0}, {});
    plain.look_at(divided, {.top_k = 0}, {});
    for (std::size_t i = 0; i < plain.weights().size(); ++i)
      RC_ASSERT(std::abs(hot.weights()[i] - plain.weights()[i]) < 1e-14);
  }));
}

TEST_CASE("how often a token is drawn agrees with its probability") {
  const auto one = random_logits(1, 1, 90, 3);
  constexpr index_t draws = 200'000;
  const sampling_options o{.temperature = 1.3, .top_k = 12, .top_p = 0.97};
  const auto tokens = token_sampler(o, 7, {5}).draw(one.expand({1, draws, 90}).contiguous(), 0, 0);
  std::vector<double> counts(90, 0.0);
  for (index_t i = 0; i < draws; ++i)
    counts[static_cast<std::size_t>(tokens[0].const_data_ptr<std::int64_t>()[i])] += 1;
  const std::vector<float> logits(one.const_data_ptr<float>(), one.const_data_ptr<float>() + 90);
  const auto p = plain_choice(logits, o, {5});
  double chi_square = 0, kept = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) {
      CHECK(counts[i] == 0);
      continue;
    }
    const double expected = p[i] * draws;
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    kept += 1;
  }
  CHECK(kept > 5);
  CHECK(chi_square <
        35);  // 11 degrees of freedom at most: exceeded once in 4,000 seeds, and the seed is fixed
}

TEST_CASE("top_k = 1 is the likeliest token") {
  const auto logits = random_logits(5, 4, 333, 1);
  CHECK(token_sampler({.top_k = 1}, 3).draw(logits, 0, 0).equal(logits.argmax(-1)));
}

TEST_CASE("a draw depends on its series, sample and step, not on the batch or the threads") {
  const auto logits = random_logits(6, 5, 400, 2);
  const token_sampler sampler({}, 11, {1});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto whole = sampler.draw(logits, 0, 3);
  at::set_num_threads(4);
  CHECK(sampler.draw(logits, 0, 3).equal(whole));
  at::set_num_threads(before);
  for (index_t first = 0; first < 6; first += 2)
    CHECK(sampler.draw(logits.narrow(0, first, 2), first, 3).equal(whole.narrow(0, first, 2)));
  CHECK(sampler.draw(logits.narrow(1, 0, 3), 0, 3)
            .equal(whole.narrow(1, 0, 3)));  // fewer samples, the same ones
  CHECK_FALSE(sampler.draw(logits, 0, 4).equal(whole));
  CHECK_FALSE(sampler.draw(logits, 1, 3).equal(whole));
  CHECK_FALSE(token_sampler({}, 12, {1}).draw(logits, 0, 3).equal(whole));
}

TEST_CASE("logits of other types are read, too") {
  const auto logits = random_logits(2, 3, 100, 4).to(at::kBFloat16);
  const token_sampler sampler({}, 1);
  CHECK(sampler.draw(logits, 0, 0).equal(sampler.draw(logits.to(at::kFloat), 0, 0)));
}

TEST_CASE("sampling says what it cannot do") {
  const auto refused = [](const sampling_options& o) {
    return message_of<usage_error>([&] { token_sampler(o, 0); });
  };
  CHECK(refused({.temperature = 0}).find("temperature 0 is not above 0") != std::string::npos);
  CHECK(refused({.temperature = NAN}).find("temperature") != std::string::npos);
  CHECK(refused({.top_k = -1}).find("top_k is -1") != std::string::npos);
  CHECK(refused({.top_p = 1.5}).find("top_p is 1.5") != std::string::npos);
  const auto drawn = [](const tensor& logits) {
    return message_of<data_error>([&] { (void)token_sampler({}, 0, {1}).draw(logits, 0, 0); });
  };
  for (const double bad : {double(NAN), double(INFINITY)}) {
    auto logits = random_logits(1, 1, 300, 5);
    logits[0][0][123] = bad;
    CHECK(drawn(logits).find("no finite number") != std::string::npos);
  }
  auto barred = random_logits(1, 1, 300, 5).fill_(-INFINITY);
  barred[0][0][1] = 3;  // the only one, and banned
  CHECK(drawn(barred).find("every token is barred") != std::string::npos);
  CHECK_FALSE(message_of<usage_error>([] {
                (void)token_sampler({}, 0).draw(at::ones({3, 4}), 0, 0);
              }).empty());
}
