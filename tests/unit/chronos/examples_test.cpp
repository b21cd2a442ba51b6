#include "fmsb/models/chronos/examples.hpp"  // example_sampler, windows

#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // normals, same

#include <map>  // std::map

#include "support/doctest.hpp"

using namespace fmsb;
using chronos::example_sampler, chronos::windows;
using test::kGap, test::message_of, test::same;

namespace {

data::series draw_series() {
  const auto rows = *rc::gen::inRange<std::size_t>(1, 40);
  const auto channels = *rc::gen::inRange<std::size_t>(1, 4);
  auto values = test::normals(*rc::gen::inRange<std::uint64_t>(0, 1000), rows * channels);
  for (double& x : values)
    if (*rc::gen::inRange(0, 3) == 0) x = kGap;
  return {std::vector<std::string>(channels, "x"), {}, values};
}

index_t observed(std::span<const double> values) {
  return std::ranges::count_if(values, [](double x) { return !std::isnan(x); });
}

chronos::config of_60_tokens() { return {.tokens = 60, .context_length = 24, .prediction_length = 5}; }

example_sampler some_examples(chronos::example_options o) {
  std::vector<data::series> from;
  for (std::uint64_t i = 0; i < 3; ++i)
    from.emplace_back(std::vector<std::string>{"x"}, std::vector<data::timestamp>{}, test::normals(i, 60));
  return {chronos::tokenizer(of_60_tokens()),
          windows(from, {.context = 12, .horizon = 4, .shortest_context = 3}), o};
}

bool same_batch(const chronos::example_batch& a, const chronos::example_batch& b) {
  return same(a.ids, b.ids) && same(a.mask, b.mask) && same(a.labels, b.labels);
}

}  // namespace

TEST_CASE("windows are all cuts with enough values on both sides, each once and in order") {
  CHECK(test::holds("windows", [] {
    std::vector<data::series> from{draw_series(), draw_series()};
    chronos::window_options o{.context = *rc::gen::inRange<index_t>(1, 12),
                              .horizon = *rc::gen::inRange<index_t>(1, 6)};
    o.shortest_context = *rc::gen::inRange<index_t>(1, o.context + 1);
    o.observed_in_context = *rc::gen::inRange<index_t>(0, 4);
    o.observed_in_horizon = *rc::gen::inRange<index_t>(0, 3);
    std::vector<std::array<std::size_t, 3>> expected;
    for (std::size_t s = 0; s < from.size(); ++s)
      for (std::size_t c = 0; c < from[s].channels(); ++c)
        for (std::size_t cut = 0; cut <= from[s].length(); ++cut) {
          const auto values = from[s].channel(c);
          const auto horizon = static_cast<std::size_t>(o.horizon);
          if (static_cast<index_t>(cut) < o.shortest_context || cut + horizon > values.size()) continue;
          const auto most = std::min(cut, static_cast<std::size_t>(o.context));
          if (observed(values.subspan(cut - most, most)) < o.observed_in_context) continue;
          if (observed(values.subspan(cut, horizon)) < o.observed_in_horizon) continue;
          expected.push_back({s, c, cut});
        }
    if (expected.empty()) {
      RC_ASSERT(!message_of<usage_error>([&] { windows(from, o); }).empty());
      return;
    }
    const windows all(from, o);
    RC_ASSERT(all.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto w = all[i];
      RC_ASSERT((expected[i] == std::array{w.series, w.channel, w.cut}));
      RC_ASSERT(all.past(w).data() + all.past(w).size() == all.future(w).data());
      RC_ASSERT(static_cast<index_t>(all.future(w).size()) == o.horizon);
      RC_ASSERT(all.past(w).size() == std::min(w.cut, static_cast<std::size_t>(o.context)));
    }
  }));
}

TEST_CASE("windows or channels are equally likely") {
  const std::vector<data::series> from{{{"x"}, {}, test::normals(1, 12)}, {{"x"}, {}, test::normals(2, 102)}};
  for (const auto how : {chronos::equally_likely::windows, chronos::equally_likely::channels}) {
    const windows all(from, {.context = 4, .horizon = 2, .shortest_context = 1, .draw = how});
    random_bits bits(5);
    std::map<std::size_t, double> of_series;
    for (int i = 0; i < 20'000; ++i) of_series[all.draw(bits).series] += 1 / 20'000.0;
    const double expected = how == chronos::equally_likely::windows ? 10.0 / 110 : 0.5;
    CHECK(std::abs(of_series[0] - expected) < 0.015);  // four standard deviations
  }
}

TEST_CASE("a batch holds the tokens of its windows, padded in front") {
  auto examples = some_examples({.batch = 7, .seed = 3});
  const auto batch = examples.next();
  CHECK(batch.ids.sizes() == at::IntArrayRef{7, 13});
  CHECK(batch.mask.sizes() == at::IntArrayRef{7, 13});
  CHECK(batch.labels.sizes() == at::IntArrayRef{7, 5});
  random_bits bits(3, 0);  // as the sampler draws
  const chronos::tokenizer tokens(of_60_tokens());
  for (index_t i = 0; i < 7; ++i) {
    const auto w = examples.from().draw(bits);
    const std::vector<std::span<const double>> past{examples.from().past(w)},
        future{examples.from().future(w)};
    const auto context = tokens.encode(past, 12);
    CHECK(same(batch.ids[i], context.ids[0]));
    CHECK(same(batch.mask[i], context.mask[0]));
    CHECK(same(batch.labels[i], tokens.encode_labels(future, context.scale).labels[0]));
  }
}

TEST_CASE("a sampler that is restored goes on with the batches that were to come") {
  auto first = some_examples({.batch = 4, .blanked = 0.3, .seed = 9});
  for (int i = 0; i < 5; ++i) (void)first.next();
  const auto state = first.state();
  auto second = some_examples({.batch = 4, .blanked = 0.3, .seed = 9});
  second.restore(state);
  for (int i = 0; i < 3; ++i) CHECK(same_batch(first.next(), second.next()));
  CHECK_FALSE(same_batch(first.next(), some_examples({.batch = 4, .blanked = 0.3, .seed = 9}).next()));
  CHECK(message_of<usage_error>([&] { some_examples({.seed = 10}).restore(state); }).find("seed 9") !=
        std::string::npos);
}

TEST_CASE("blanking turns the share of values into gaps that was asked for, and nothing else") {
  auto plain = some_examples({.batch = 400}), blanked = some_examples({.batch = 400, .blanked = 0.6});
  const auto before = plain.next(), after = blanked.next();
  const auto seen = [](const chronos::example_batch& b) {
    return b.mask.slice(1, 0, 12).sum().item<double>();
  };
  CHECK(seen(before) > 0);
  CHECK(std::abs(seen(after) / seen(before) - 0.7) < 0.05);  // 0.3 on average
  const auto learned =
      (after.labels != -100).sum().item<double>() / static_cast<double>(after.labels.numel());
  CHECK(std::abs(learned - (0.7 * 4 + 1) / 5) < 0.05);  // the end token stays
}

TEST_CASE("windows and examples say what they cannot do") {
  const std::vector<data::series> from{{{"x"}, {}, test::normals(1, 9)}};
  const auto refused = [&](const chronos::window_options& o) {
    return message_of<usage_error>([&] { windows(from, o); });
  };
  CHECK(refused({.context = 0}).find("1 at least") != std::string::npos);
  CHECK(refused({.context = 3, .shortest_context = 4}).find("not above context") != std::string::npos);
  CHECK(refused({.context = 4, .horizon = 9}).find("none of the 1 series") != std::string::npos);
  CHECK(message_of<usage_error>([&] {
          (void)windows(from, {.context = 2, .horizon = 2})[99];
        }).find("window 99") != std::string::npos);
  CHECK(message_of<usage_error>([] { some_examples({.batch = 0}); }).find("batch of 0") != std::string::npos);
  CHECK(message_of<usage_error>([] { some_examples({.blanked = 1}); }).find("blanked is 1") !=
        std::string::npos);
  CHECK(message_of<usage_error>([&] {
          example_sampler(chronos::tokenizer(of_60_tokens()), windows(from, {.context = 25, .horizon = 2}));
        }).find("25 values do not fit") != std::string::npos);
}
