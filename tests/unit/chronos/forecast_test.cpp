#include "fmsb/models/chronos/forecast.hpp"  // forecast, quantiles

#include "fmsb/models/t5.hpp"  // t5
#include "fmsb/nn/module.hpp"  // module

#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // chronos_fixture, normals

#include <torch/utils.h>  // torch::manual_seed

#include <cmath>    // std::floor
#include <numeric>  // std::accumulate

#include "support/doctest.hpp"

using namespace fmsb;
using test::kGap, test::message_of, test::read;

namespace {

/// In place of a network, as `rules` in tests/parity/chronos/make_fixtures.py: sample s of a series whose
/// last token was x says at step t of a stretch 3 + (x + 7 s + 11 t - 2) mod (tokens - 3), and nothing else.
struct rules {
  index_t tokens;

  struct decoding {
    tensor last;
    index_t tokens, step_number = 0;
    tensor step(const tensor& given) {
      auto logits =
          at::full({given.size(0), given.size(1), tokens}, -INFINITY, at::TensorOptions().dtype(at::kFloat));
      for (index_t i = 0; i < given.size(0); ++i)
        for (index_t s = 0; s < given.size(1); ++s)
          logits[i][s][3 + (last[i].item<std::int64_t>() + 7 * s + 11 * step_number - 2) % (tokens - 3)] = 0;
      ++step_number;
      return logits;
    }
  };
  tensor encode(const tensor& ids, const tensor&) const { return ids.select(1, ids.size(1) - 2); }
  decoding start(const tensor& encoded, const tensor&, index_t) const { return {encoded, tokens}; }
};

/// The next token by its predecessor: a table of logits; the first step knows the series' last token.
struct table {
  tensor logits;  ///< [tokens, tokens]

  struct decoding {
    tensor logits, last;
    bool begun = false;
    tensor step(const tensor& given) {
      const auto from = begun ? given : last.unsqueeze(1).expand_as(given);
      begun = true;
      return logits.index_select(0, from.reshape({-1})).reshape({given.size(0), given.size(1), -1});
    }
  };
  tensor encode(const tensor& ids, const tensor&) const { return ids.select(1, ids.size(1) - 2); }
  decoding start(const tensor& encoded, const tensor&, index_t) const { return {logits, encoded}; }

  static table random(index_t tokens, std::uint64_t seed) {
    const auto values = test::normals(seed, static_cast<std::size_t>(tokens * tokens));
    return {nn::vector_view(values).to(at::kFloat).mul(2).reshape({tokens, tokens})};
  }
};

const chronos::config of_60_tokens{.tokens = 60, .context_length = 24, .prediction_length = 5, .samples = 7};

std::vector<std::vector<double>> some_series(std::size_t count) {
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(test::normals(i, 10 + 9 * i));
  rows[0][3] = kGap;
  return rows;
}

constexpr models::t5_config small{.vocabulary = 60,
                                  .width = 16,
                                  .feed_forward = 24,
                                  .key_width = 4,
                                  .heads = 2,
                                  .encoder_layers = 1,
                                  .decoder_layers = 2,
                                  .initializer_factor = 1};

}  // namespace

TEST_CASE("long horizons go on from the medians as the Python pipeline does, and so do quantiles and mean") {
  const auto file = test::chronos_fixture("long_horizon.safetensors");
  const chronos::tokenizer tokens({.context_length = 32, .prediction_length = 8});
  const auto context = read(file, "context");
  for (const auto& rows : {test::rows_of(context), test::trimmed(test::rows_of(context))}) {
    const auto samples = chronos::forecast(rules{4096}, tokens, rows, {.horizon = 21, .samples = 6});
    CHECK(samples.allclose(read(file, "forecast"), 1e-6, 1e-12));
    const auto levels = read(file, "levels");
    const std::vector<double> wanted(levels.const_data_ptr<double>(),
                                     levels.const_data_ptr<double>() + levels.numel());
    CHECK(chronos::quantiles(samples, wanted).allclose(read(file, "quantiles"), 1e-5, 1e-6));
    CHECK(chronos::mean(samples).allclose(read(file, "mean"), 1e-5, 1e-6));
  }
}

TEST_CASE("what is left out is as the configuration says") {
  const chronos::tokenizer tokens(of_60_tokens);
  const auto rows = some_series(3);
  const auto model = table::random(60, 1);
  const auto samples = chronos::forecast(model, tokens, test::spans_of(rows));
  CHECK(samples.sizes() == at::IntArrayRef{3, 7, 5});
  CHECK(samples.equal(
      chronos::forecast(model, tokens, test::spans_of(rows),
                        {.horizon = 5, .samples = 7, .temperature = 1, .top_k = 50, .top_p = 1})));
  CHECK_FALSE(samples.equal(chronos::forecast(model, tokens, test::spans_of(rows), {.seed = 1})));
}

TEST_CASE("the paths of a series are the same however many series are worked on at once") {
  const chronos::tokenizer tokens(of_60_tokens);
  const auto rows = some_series(5);
  const auto model = table::random(60, 2);
  std::vector<std::size_t> finished;
  const auto all =
      chronos::forecast(model, tokens, test::spans_of(rows), {.horizon = 12, .series_at_once = 5});
  const auto parted = chronos::forecast(
      model, tokens, test::spans_of(rows),
      {.horizon = 12, .series_at_once = 2, .advanced = [&](std::size_t n) { finished.push_back(n); }});
  CHECK(parted.equal(all));
  CHECK(finished == std::vector<std::size_t>{2, 2, 1});
  // fewer samples are the first of more, as long as no median of all of them is looked at
  const auto few = chronos::forecast(model, tokens, test::spans_of(rows), {.samples = 3});
  CHECK(few.equal(all.narrow(1, 0, 3).narrow(2, 0, 5)));
}

TEST_CASE("the end of the sequence is never drawn") {
  auto model = table::random(60, 3);
  model.logits.select(1, 1).fill_(50);  // by far the likeliest
  const chronos::tokenizer tokens(of_60_tokens);
  const std::vector<std::vector<double>> rows{{1, 2, 3}};
  const auto samples = chronos::forecast(model, tokens, test::spans_of(rows), {.samples = 400});
  CHECK((samples == -15.0 * 2).sum().item<double>() < 0.2 * static_cast<double>(samples.numel()));
}

TEST_CASE("what comes back may take part in a gradient") {
  const chronos::tokenizer tokens(of_60_tokens);
  const std::vector<std::vector<double>> rows{{1, 2, 3}};
  CHECK_FALSE(chronos::forecast(table::random(60, 4), tokens, test::spans_of(rows)).is_inference());
}

TEST_CASE("a forecast says what it cannot do") {
  const chronos::tokenizer tokens(of_60_tokens);
  const std::vector<std::vector<double>> rows{{1, 2, 3}};
  const auto message = [&](const chronos::forecast_options& o) {
    return message_of<usage_error>(
        [&] { (void)chronos::forecast(table::random(60, 1), tokens, test::spans_of(rows), o); });
  };
  CHECK(message({.horizon = 0}).find("horizon of 0") != std::string::npos);
  CHECK(message({.samples = 0}).find("0 samples") != std::string::npos);
  CHECK(message({.horizon = 6, .limit_prediction_length = true}).find("prediction length, 5") !=
        std::string::npos);
  CHECK(message({.temperature = -1}).find("temperature") != std::string::npos);
  CHECK(message({.horizon = 6}).empty());
  CHECK(message_of<usage_error>([&] {
          (void)chronos::forecast(table::random(40, 1), tokens, test::spans_of(rows));
        }).find("40 tokens") != std::string::npos);
}

TEST_CASE("quantiles lie straight between the two samples around a level") {
  CHECK(test::holds("quantiles", [] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 30);
    auto values = test::normals(*rc::gen::inRange<std::uint64_t>(0, 1000), n);
    const double level = *rc::gen::inRange(0, 101) / 100.0;
    const auto got =
        chronos::quantiles(nn::vector_view(values).reshape({1, static_cast<index_t>(n), 1}), {level, 0.5});
    std::sort(values.begin(), values.end());
    const double place = level * static_cast<double>(n - 1), below = std::floor(place);
    const auto i = static_cast<std::size_t>(below);
    const double expected = values[i] + (place - below) * (values[std::min(i + 1, n - 1)] - values[i]);
    RC_ASSERT(std::abs(got[0][0][0].item<double>() - expected) < 1e-12);
  }));
  CHECK_FALSE(message_of<usage_error>([] { (void)chronos::quantiles(at::ones({2, 3, 4}), {1.1}); }).empty());
  CHECK_FALSE(message_of<usage_error>([] { (void)chronos::quantiles(at::ones({2, 3}), {.5}); }).empty());
  CHECK_FALSE(message_of<usage_error>([] { (void)chronos::mean(at::ones({2, 0, 4})); }).empty());
}

TEST_CASE("a T5 forecasts: its paths are the likeliest by teacher forcing where top_k is 1") {
  torch::manual_seed(3);
  nn::module<models::t5<small>> model;
  model->eval();
  const chronos::tokenizer tokens(of_60_tokens);
  const auto rows = some_series(3);
  const auto samples = chronos::forecast(*model, tokens, test::spans_of(rows), {.samples = 2, .top_k = 1});
  const auto context = tokens.encode(test::spans_of(rows));
  const at::NoGradGuard no_gradient;
  const auto encoded = model->encode(context.ids, context.mask);
  auto path = at::zeros({3, 1}, at::TensorOptions().dtype(at::kLong));
  for (int step = 0; step < 5; ++step) {
    auto logits = model->decode(path, encoded, context.mask).select(1, step);
    logits.select(1, 1).fill_(-INFINITY);
    path = at::cat({path, logits.argmax(1, true)}, 1);
  }
  const auto expected = tokens.decode(path.narrow(1, 1, 5).unsqueeze(1).expand({3, 2, 5}), context.scale);
  CHECK(samples.equal(expected));
}

TEST_CASE(
    "a T5's paths do not depend on how many series are worked on at once, and it must be in evaluation "
    "mode") {
  torch::manual_seed(4);
  nn::module<models::t5<small>> model;
  const chronos::tokenizer tokens(of_60_tokens);
  const auto rows = some_series(4);
  CHECK(message_of<usage_error>([&] {
          (void)chronos::forecast(*model, tokens, test::spans_of(rows));
        }).find("training mode") != std::string::npos);
  model->eval();
  const auto all = chronos::forecast(*model, tokens, test::spans_of(rows), {.horizon = 9, .seed = 5});
  const auto parted =
      chronos::forecast(*model, tokens, test::spans_of(rows), {.horizon = 9, .seed = 5, .series_at_once = 1});
  CHECK(all.equal(parted));
}
