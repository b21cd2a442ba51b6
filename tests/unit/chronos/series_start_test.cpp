#include "fmsb/models/chronos/series_start.hpp"  // start_for_series

#include "fmsb/models/chronos/examples.hpp"  // example_sampler
#include "fmsb/models/t5.hpp"                // t5
#include "fmsb/train/fit.hpp"                // trainable

#include "support/same_bits.hpp"             // same_bits
#include "unit/chronos/chronos_support.hpp"  // message_of

#include <torch/optim/adamw.h>

#include <cmath>   // std::abs
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::message_of, test::same_bits;

namespace {

constexpr models::t5_config small{.vocabulary = 128,
                                  .width = 32,
                                  .feed_forward = 32,
                                  .key_width = 8,
                                  .heads = 4,
                                  .encoder_layers = 1,
                                  .decoder_layers = 1,
                                  .dropout = 0,
                                  .initializer_factor = 0.05};
using model_type = models::t5<small>;
const chronos::config bins{
    .low_limit = -3, .high_limit = 3, .tokens = 128, .context_length = 24, .prediction_length = 1};

nn::module<model_type> started(std::uint64_t seed) {
  torch::manual_seed(seed);
  nn::module<model_type> model;
  chronos::start_for_series(*model, bins);
  return model;
}

double likeness(const tensor& a, const tensor& b) {
  return (a.dot(b) / (a.norm() * b.norm())).template item<double>();
}

/// Random walks on a level: the last value tells all there is to tell about the next.
std::vector<data::series> walks() {
  std::vector<data::series> out;
  random_bits bits(1);
  for (int i = 0; i < 200; ++i) {
    std::vector<double> values{20};
    while (values.size() < 60) values.push_back(values.back() + data::draw_normal(bits));
    out.push_back({{"walk"}, {}, std::move(values)});
  }
  return out;
}

/// What the next token costs after 150 batches of walks.
double learned(nn::module<model_type> model, const chronos::windows& examples) {
  chronos::example_sampler batches(chronos::tokenizer(bins), examples, {.batch = 32, .seed = 1});
  torch::optim::AdamW adam(train::trainable(model), torch::optim::AdamWOptions(3e-3).weight_decay(0));
  double late = 0;
  for (int i = 0; i < 150; ++i) {
    const auto b = batches.next();
    const auto loss = model->loss(b.ids, b.mask, b.labels.narrow(1, 0, 1));  // without the end
    adam.zero_grad();
    loss.backward();
    adam.step();
    if (i >= 130) late += loss.item<double>() / 20;
  }
  return late;
}

}  // namespace

TEST_CASE("the rows of near bins are alike, those of far bins are not") {
  const auto model = started(1);
  const auto& table = model->at<"shared">().weight;
  for (const index_t id : {5, 60, 120}) {
    CAPTURE(id);
    CHECK(likeness(table[id], table[id + 1]) > 0.5);
    CHECK(likeness(table[id], table[id + 1]) > likeness(table[id], table[id + 6]));
  }
  CHECK(std::abs(likeness(table[20], table[110])) < 0.6);
  CHECK(table.narrow(0, 2, 126).square().mean().item<double>() == doctest::Approx(1).epsilon(0.15));
}

TEST_CASE("heads look at what is near, the first at the neighbours as at the token itself") {
  const auto model = started(2);
  const auto bias = model->at<"encoder">().position_bias(12)[0];  // [heads, query, key]
  const auto of = [&](index_t head, index_t query, index_t key) {
    return bias[head][query][key].template item<double>();
  };
  CHECK(of(0, 6, 5) == -4);
  CHECK(of(0, 6, 7) == -4);
  CHECK(of(0, 6, 4) == -8);
  CHECK(of(0, 6, 6) == -4);
  CHECK(of(1, 6, 6) == 0);
  CHECK(of(1, 6, 3) == -3);
  CHECK(of(2, 6, 3) == -0.75);
  const auto before = model->at<"decoder">().position_bias(12)[0];
  CHECK(before[1][6][3].item<double>() == -3);
  CHECK(before[1][6][7].item<double>() == -INFINITY);
}

TEST_CASE("all else is as T5 draws it at a factor of 1, from the same seed the same") {
  torch::manual_seed(3);
  const nn::module<model_type> plain;
  const auto model = started(3);
  const auto& ours = model->at<"decoder">().at<"final_layer_norm">().weight;
  CHECK(ours.equal(at::ones_like(ours)));
  CHECK(model->at<"shared">().weight[1].allclose(plain->at<"shared">().weight[1] * 20));
  CHECK(same_bits(*model, *started(3)));
  CHECK_FALSE(same_bits(*model, *started(4)));
}

TEST_CASE("a model that starts so finds the last value in a hundred batches, where T5's start does not") {
  const auto series = walks();
  const chronos::windows examples(series, {.context = 24, .horizon = 1});
  torch::manual_seed(5);
  const double theirs = learned({}, examples), ours = learned(started(5), examples);
  CAPTURE(theirs);
  CAPTURE(ours);
  CHECK(ours < theirs - 0.5);
}

TEST_CASE("a tokenizer of another vocabulary is refused") {
  nn::module<model_type> model;
  auto other = bins;
  other.tokens = 64;
  CHECK(message_of<usage_error>([&] { chronos::start_for_series(*model, other); }) ==
        "fmsb::chronos::start_for_series: the tokenizer has 64 tokens, the model 128.");
}
