#include "fmsb/models/ar/lag_gram.hpp"
#include "fmsb/models/ar/orders.hpp"
#include "fmsb/models/ar/stream.hpp"

#include "support/property.hpp"
#include "unit/models/ar_support.hpp"

#include <rapidcheck.h>

#include <sstream>  // std::stringstream

#include "support/doctest.hpp"

namespace {

using namespace fmsb;
using test::holds;

std::size_t draw(std::size_t first, std::size_t last) { return *rc::gen::inRange(first, last + 1); }

std::uint64_t draw_seed() { return *rc::gen::arbitrary<std::uint64_t>(); }

/// Drives a state and its plain ledger through the same random events: ticks, blocks, gaps, sudden forgetting
/// and, with some luck, a merge with another pair that has a life of its own.
template <class State, class Make>
void live(State& state, test::sample_ledger& ledger, const Make& make, std::mt19937_64& engine, int events,
          bool may_merge = true) {
  const std::size_t channels = ledger.history.size();
  std::uniform_int_distribution<int> die(0, 19);
  std::normal_distribution<double> normal;
  for (int e = 0; e < events; ++e) {
    const int face = die(engine);
    if (face == 0) {
      const double factor = engine() % 2 == 0 ? 0.5 : 1.25;
      state.forget(factor);
      ledger.forget(factor);
    } else if (face == 1 && may_merge) {
      auto [other, other_ledger] = make();
      live(other, other_ledger, make, engine, events / 2, false);
      state.merge(other);
      ledger.merge(other_ledger);
    } else {
      const std::size_t rows = face < 12 ? 1 : static_cast<std::size_t>(die(engine)) + 1;
      std::vector<double> values(channels * rows);
      for (auto& v : values) v = normal(engine) + 0.5;
      if (face == 2 || face == 12)
        values[engine() % values.size()] = std::numeric_limits<double>::quiet_NaN();
      const data::series block(test::channel_names(channels), {}, values);
      std::vector<double> row(channels);
      for (std::size_t t = 0; t < rows; ++t) {
        for (std::size_t c = 0; c < channels; ++c) row[c] = block.channel(c)[t];
        ledger.tick(row);
        if (face < 12) state.tick(row);
      }
      if (face >= 12) state.append(block);
    }
  }
}

}  // namespace

TEST_CASE("the Gram matrix by displacement is the sum over all samples") {
  CHECK(holds("gram_of(lag_moments::of(x)) == sum of outer products", [] {
    const std::size_t channels = draw(1, 4), lags = draw(0, 20), length = draw(0, 80);
    const auto x = test::noisy_cycles(channels, length, draw_seed());
    test::sample_ledger ledger(channels, lags, 0, 1);
    std::vector<double> row(channels);
    for (std::size_t t = 0; t < length; ++t) {
      for (std::size_t c = 0; c < channels; ++c) row[c] = x.channel(c)[t];
      ledger.tick(row);
    }
    const auto plain = ledger.gram(), ours = ar::gram_of(ar::lag_moments::of(x, lags));
    RC_ASSERT(ours.count == plain.count);
    RC_ASSERT(test::relative_distance(plain.second, ours.second) < 1e-13);
    RC_ASSERT(test::relative_distance(plain.first, ours.first) < 1e-13);
  }));
}

TEST_CASE("whatever happens to lag moments, they equal a ledger of weighted samples") {
  CHECK(holds("ticks, blocks, gaps, forgetting, merges", [] {
    const std::size_t channels = draw(1, 3), lags = draw(0, 12);
    const double forgetting = *rc::gen::element(1.0, 0.999, 0.95, 0.6);
    const auto make = [&] {
      return std::pair(ar::lag_moments(channels, lags, forgetting),
                       test::sample_ledger(channels, lags, 0, forgetting));
    };
    auto [state, ledger] = make();
    std::mt19937_64 engine(draw_seed());
    live(state, ledger, make, engine, static_cast<int>(draw(1, 60)));
    const auto plain = ledger.gram(), ours = ar::gram_of(state);
    RC_ASSERT(std::abs(ours.count - plain.count) < 1e-10 * (1 + plain.count));
    RC_ASSERT(test::relative_distance(plain.second, ours.second) < 1e-10);
    RC_ASSERT(test::relative_distance(plain.first, ours.first) < 1e-10);
  }));
}

TEST_CASE("a streamed fit is the weighted least-squares fit of all that was seen") {
  CHECK(holds("stream::fit == QR of the weighted design", [] {
    const std::size_t channels = draw(1, 4), order = draw(1, 10), differencing = draw(0, 2);
    const double forgetting = *rc::gen::element(1.0, 0.999, 0.98);
    const auto make = [&] {
      return std::pair(ar::stream({.channels = channels,
                                   .max_order = order,
                                   .differencing = static_cast<int>(differencing),
                                   .forgetting = forgetting}),
                       test::sample_ledger(channels, order, differencing, forgetting));
    };
    auto [state, ledger] = make();
    std::mt19937_64 engine(draw_seed());
    live(state, ledger, make, engine, static_cast<int>(draw(60, 200)));
    RC_PRE(ledger.samples.size() > 3 * order + 10);
    const std::size_t asked = draw(0, order);
    const auto plain = ledger.fit(asked);
    RC_ASSERT(test::distance(plain, state.fit(asked)) < 1e-9);
    RC_ASSERT(test::distance(plain, state.fit_orders().at(asked)) < 1e-9);
  }));
}

TEST_CASE("a stream cut into blocks and ticks anywhere gives the fit of the batch") {
  CHECK(holds("stream over pieces == batch", [] {
    const std::size_t channels = draw(1, 4), order = draw(0, 24), differencing = draw(0, 2);
    const std::size_t length = draw(120, 400);
    const auto x = test::noisy_cycles(channels, length, draw_seed());
    ar::stream state(
        {.channels = channels, .max_order = order, .differencing = static_cast<int>(differencing)});
    for (std::size_t first = 0; first < length;) {
      const std::size_t last = std::min(length, first + draw(1, 90));
      state.append(x.slice(first, last));
      first = last;
    }
    const auto y = ar::difference(x, static_cast<int>(differencing));
    const auto batch =
        ar::fit_orders(ar::gram_of(ar::lag_moments::of(y, order)), order, static_cast<int>(differencing));
    RC_ASSERT(test::distance(batch.at(order), state.fit(order)) < 1e-9);
    RC_ASSERT(state.count() == batch.samples);
  }));
}

TEST_CASE("merged shards give the fit of their segments together, in any order of merging") {
  CHECK(holds("merge == ledger of all shards; merge commutes", [] {
    const std::size_t channels = draw(1, 3), order = draw(1, 12);
    const ar::stream::options settings{.channels = channels, .max_order = order};
    ar::stream one(settings), two(settings);
    test::sample_ledger ledger(channels, order, 1, 1);
    for (auto* shard : {&one, &two}) {
      const auto x = test::noisy_cycles(channels, draw(60, 200), draw_seed());
      shard->append(x);
      test::sample_ledger theirs(channels, order, 1, 1);
      std::vector<double> row(channels);
      for (std::size_t t = 0; t < x.length(); ++t) {
        for (std::size_t c = 0; c < channels; ++c) row[c] = x.channel(c)[t];
        theirs.tick(row);
      }
      ledger.merge(theirs);
    }
    auto forth = one, back = two;
    forth.merge(two);
    back.merge(one);
    const auto plain = ledger.fit(order);
    RC_ASSERT(test::distance(plain, forth.fit(order)) < 1e-9);
    RC_ASSERT(test::distance(plain, back.fit(order)) < 1e-9);
  }));
}

TEST_CASE("a saved stream goes on exactly as if it had never stopped") {
  CHECK(holds("load(save(s)) and s stay equal to the bit", [] {
    const std::size_t channels = draw(1, 3), order = draw(0, 8);
    const ar::stream::options settings{.channels = channels,
                                       .max_order = order,
                                       .differencing = static_cast<int>(draw(0, 2)),
                                       .forgetting = *rc::gen::element(1.0, 0.97)};
    const auto make = [&] {
      return std::pair(ar::stream(settings),
                       test::sample_ledger(channels, order, static_cast<std::size_t>(settings.differencing),
                                           settings.forgetting));
    };
    auto [state, ledger] = make();
    std::mt19937_64 engine(draw_seed());
    live(state, ledger, make, engine, static_cast<int>(draw(0, 40)));
    std::stringstream text;
    state.save(text);
    auto copy = ar::stream::load(text);
    auto same = engine;
    auto copied_ledger = ledger;
    live(state, ledger, make, engine, 30);
    live(copy, copied_ledger, make, same, 30);
    const auto a = ar::gram_of(state.moments()), b = ar::gram_of(copy.moments());
    RC_ASSERT(a.count == b.count);
    RC_ASSERT(test::relative_distance(a.second, b.second) == 0);
  }));
}

TEST_CASE("a stream forecasts as the model does from its levels") {
  CHECK(holds("stream::forecast == ar::forecast", [] {
    const std::size_t order = draw(1, 12), differencing = draw(0, 2);
    const auto x = test::noisy_cycles(2, draw(100, 200), draw_seed());
    ar::stream state({.channels = 2, .max_order = order, .differencing = static_cast<int>(differencing)});
    state.append(x);
    const auto m = state.fit(order);
    for (std::size_t c = 0; c < 2; ++c) {
      const auto ours = state.forecast(m, c, 20), plain = ar::forecast(m, x.channel(c), 20);
      for (std::size_t h = 0; h < 20; ++h)
        RC_ASSERT(std::abs(ours[h] - plain[h]) < 1e-8 * (1 + std::abs(plain[h])));
    }
  }));
}

TEST_CASE("forgetting everything leaves only the history, and frees the segments") {
  ar::stream state({.channels = 2, .max_order = 5});
  const auto x = test::noisy_cycles(2, 300, 1);
  state.append(x.slice(0, 200));
  state.forget(0);
  CHECK(state.count() == 0);
  CHECK(state.moments().segments().empty());
  state.append(x.slice(200, 300));
  ar::stream fresh({.channels = 2, .max_order = 5});
  fresh.append(x.slice(200 - 6, 300));
  CHECK(test::distance(fresh.fit(5), state.fit(5)) < 1e-12);
}

TEST_CASE("misuse of moments and streams is refused with the numbers at fault") {
  CHECK_THROWS_WITH_AS(ar::lag_moments(1, 3, 1.5), doctest::Contains("(0, 1]; got 1.5"), usage_error);
  CHECK_THROWS_WITH_AS(ar::lag_moments(1, 500, 0.9), doctest::Contains("500"), usage_error);
  ar::lag_moments m(2, 3);
  CHECK_THROWS_WITH_AS(m.tick(std::vector<double>{1.0}), doctest::Contains("2 channels; got 1"), usage_error);
  CHECK_THROWS_WITH_AS(m.forget(-1), doctest::Contains("-1"), usage_error);
  CHECK_THROWS_WITH_AS(m.merge(ar::lag_moments(2, 4)), doctest::Contains("3 lags"), usage_error);
  ar::stream s({.channels = 1, .max_order = 4});
  CHECK_THROWS_WITH_AS((void)s.fit(4), doctest::Contains("no sample yet"), data_error);
  CHECK_THROWS_WITH_AS((void)s.fit(5), doctest::Contains("order 5"), usage_error);
  CHECK_THROWS_WITH_AS(s.merge(ar::stream({.channels = 1, .max_order = 4, .differencing = 0})),
                       doctest::Contains("differences 1 times, the other 0"), usage_error);
  std::stringstream text;
  s.save(text);
  std::stringstream cut(text.str().substr(0, text.str().size() / 2));
  CHECK_THROWS_WITH_AS((void)ar::stream::load(cut), doctest::Contains("damaged or cut"), data_error);
  std::stringstream foreign("hello");
  CHECK_THROWS_WITH_AS((void)ar::stream::load(foreign), doctest::Contains("no saved stream"), data_error);
}
