#include "fmsb/models/t5.hpp"  // t5, t5_bucket

#include "fmsb/nn/check_module.hpp"  // check_module
#include "fmsb/nn/tree.hpp"          // count_parameters

#include "support/one_thread.hpp"         // one_thread
#include "support/stored_gradients.hpp"   // check_stored_gradients
#include "unit/models_t5/t5_support.hpp"  // tiny, tiny_t5, t5_fixture, distance

#include <cmath>    // std::sqrt
#include <sstream>  // std::ostringstream
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using test::distance, test::t5_fixture, test::tiny, test::tiny_t5;

namespace {

/// relative_position_bucket from its definition, over the whole table of pairs.
tensor table_of_pairs(const tensor& table, index_t queries, index_t keys, models::t5_side side) {
  auto bias = at::zeros({1, table.size(1), queries, keys});
  for (index_t i = 0; i < queries; ++i)
    for (index_t j = 0; j < keys; ++j)
      bias.select(2, i).select(2, j).copy_(
          table.select(0, models::t5_bucket(j - i, side, 32, 128)).unsqueeze(0));
  return bias;
}

}  // namespace

TEST_CASE("T5's encoder, logits and loss are those of transformers") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_t5();
  const auto ids = t5_fixture("ids"), mask = t5_fixture("mask"), labels = t5_fixture("labels");
  const auto encoded = model->encode(ids, mask);
  // What nobody sees is computed all the same, and alike.
  CHECK(distance(encoded, t5_fixture("encoded")) < 1e-5);
  const auto decoder_ids = model->decoder_ids_of(labels);
  CHECK(decoder_ids.equal(t5_fixture("decoder_ids")));
  CHECK(distance(model->decode(decoder_ids, encoded, mask), t5_fixture("logits")) < 1e-5);
  CHECK(distance(model->forward(ids, mask, decoder_ids), t5_fixture("logits")) < 1e-5);
  CHECK(distance(model->loss(ids, mask, labels), t5_fixture("loss")) < 1e-5);
  CHECK(distance(model->loss(ids.to(at::kInt), mask.to(at::kLong), labels), t5_fixture("loss")) < 1e-5);
}

TEST_CASE(
    "T5's gradients are those of transformers, the shared table's and the position biases' among them") {
  auto model = tiny_t5();
  model->loss(t5_fixture("ids"), t5_fixture("mask"), t5_fixture("labels")).backward();
  CHECK(test::check_stored_gradients(model, test::t5_fixtures() / "tiny/expected.safetensors", 2e-5) == 14);
}

TEST_CASE("every distance has the bucket that transformers gives it") {
  const auto both = t5_fixture("bidirectional", "buckets.safetensors").to(at::kLong);
  const auto back = t5_fixture("causal", "buckets.safetensors").to(at::kLong);
  int differing = 0;
  for (index_t d = -600; d <= 600; ++d) {
    differing += models::t5_bucket(d, models::t5_side::encoder, 32, 128) != both[d + 600].item<index_t>();
    differing += models::t5_bucket(d, models::t5_side::decoder, 32, 128) != back[d + 600].item<index_t>();
  }
  CHECK(differing == 0);
}

TEST_CASE("the position bias is the table's row for every pair of positions") {
  auto model = tiny_t5();
  const torch::NoGradGuard no_gradient;
  const auto& encoder = model->at<"encoder">();
  const auto& decoder = model->at<"decoder">();
  for (const index_t tokens : {1, 2, 7, 150}) {
    CAPTURE(tokens);
    const auto& table = encoder.blocks().first().table().weight;
    CHECK(
        encoder.position_bias(tokens).equal(table_of_pairs(table, tokens, tokens, models::t5_side::encoder)));
    const auto causal =
        table_of_pairs(decoder.blocks().first().table().weight, tokens, tokens, models::t5_side::decoder);
    const auto own = decoder.position_bias(tokens);
    CHECK(own.tril().equal(causal.tril()));
    CHECK(own.isneginf().sum().item<index_t>() == 3 * tokens * (tokens - 1) / 2);
    CHECK(decoder.last_bias(tokens).equal(causal.narrow(2, tokens - 1, 1)));
  }
}

TEST_CASE("the encoder's kernels give what its layers give, on either side of a stretch of tokens") {
  torch::manual_seed(5);
  auto model = tiny_t5();
  for (const index_t tokens : {1, 2, 31, 33, 96, 97, 200}) {
    CAPTURE(tokens);
    const auto ids = at::randint(2, tiny.vocabulary, {3, tokens}, at::kLong);
    auto mask = at::ones({3, tokens}, at::kBool);
    mask[1].narrow(0, 0, tokens / 2).fill_(false);
    for (const auto& seen : {tensor(), mask}) {
      const auto layers = model->encode(ids, seen);
      const torch::NoGradGuard no_gradient;
      const test::one_thread alone;
      const auto kernels = model->encode(ids, seen);
      CHECK(distance(kernels, layers) < 1e-5);
      at::set_num_threads(2);
      CHECK(model->encode(ids, seen).equal(kernels));
    }
  }
}

TEST_CASE("hidden tokens change nothing that is seen, and a mask of ones is no mask") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_t5();
  const auto ids = t5_fixture("ids"), mask = t5_fixture("mask"), decoder_ids = t5_fixture("decoder_ids");
  const auto other = ids.where(mask, at::full_like(ids, 17));
  CHECK(distance(model->forward(other, mask, decoder_ids), model->forward(ids, mask, decoder_ids)) < 1e-6);
  CHECK(model->forward(ids, at::ones_like(mask), decoder_ids).equal(model->forward(ids, {}, decoder_ids)));
  // A series of which nothing is seen has an answer.
  CHECK(model->forward(ids, at::zeros_like(mask), decoder_ids).isfinite().all().item<bool>());
}

TEST_CASE("the starting values are Hugging Face's, by the factor of the configuration") {
  torch::manual_seed(4);
  constexpr models::t5_config wide{.vocabulary = 300,
                                   .width = 64,
                                   .feed_forward = 96,
                                   .key_width = 24,
                                   .heads = 4,
                                   .encoder_layers = 2,
                                   .decoder_layers = 2,
                                   .initializer_factor = 0.05};
  nn::module<models::t5<wide>> model;
  const auto deviation = [&](const char* name) {
    return model->named_parameters()[name].std().item<double>() / 0.05;
  };
  const auto near = [](double x) { return doctest::Approx(x).epsilon(0.1); };
  CHECK(deviation("shared.weight") == near(1));
  CHECK(deviation("encoder.block.1.layer.0.SelfAttention.q.weight") == near(1 / std::sqrt(64.0 * 24)));
  CHECK(deviation("decoder.block.0.layer.1.EncDecAttention.k.weight") == near(1 / 8.0));
  CHECK(deviation("decoder.block.1.layer.0.SelfAttention.v.weight") == near(1 / 8.0));
  CHECK(deviation("decoder.block.1.layer.1.EncDecAttention.o.weight") == near(1 / std::sqrt(96.0)));
  CHECK(deviation("encoder.block.1.layer.1.DenseReluDense.wi.weight") == near(1 / 8.0));
  CHECK(deviation("decoder.block.0.layer.2.DenseReluDense.wo.weight") == near(1 / std::sqrt(96.0)));
  CHECK(deviation("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight") ==
        doctest::Approx(1 / 8.0).epsilon(0.3));
  for (const auto& item : model->named_parameters())
    if (item.key().find("norm") != item.key().npos) CHECK(item->eq(0.05F).all().item<bool>());
}

TEST_CASE("a T5 keeps what the library relies on") {
  torch::manual_seed(9);
  const auto ids = t5_fixture("ids").narrow(1, 0, 12), mask = t5_fixture("mask").narrow(1, 0, 12);
  const auto report = nn::check_module(tiny_t5(), ids, mask, t5_fixture("decoder_ids"));
  std::ostringstream text;
  text << report;
  CAPTURE(text.str());
  CHECK(report.sound());
}

TEST_CASE("dropout makes passes differ in training alone") {
  torch::manual_seed(3);
  auto model = tiny_t5();
  const auto ids = t5_fixture("ids"), mask = t5_fixture("mask"), labels = t5_fixture("labels");
  CHECK(model->loss(ids, mask, labels).equal(model->loss(ids, mask, labels)));
  model->train();
  CHECK_FALSE(model->loss(ids, mask, labels).equal(model->loss(ids, mask, labels)));
}

TEST_CASE("a T5 says what it was given and what it takes") {
  auto model = tiny_t5();
  const auto ids = t5_fixture("ids"), mask = t5_fixture("mask");
  const auto encoded = model->encode(ids, mask);
  CHECK_THROWS_WITH_AS(model->encode(ids, mask.narrow(1, 0, 5)),
                       "fmsb::models::t5::encode was given ids of shape [3, 30] and a mask of shape [3, 5]; "
                       "give one of the same "
                       "shape.",
                       usage_error);
  CHECK_THROWS_WITH_AS(
      model->encode(ids[0]),
      "fmsb::models::t5 was given ids of shape [30]; it takes [batch, tokens], at least one token.",
      usage_error);
  CHECK_THROWS_AS(model->decode(ids, encoded.narrow(2, 0, 5), mask), usage_error);
  CHECK_THROWS_AS(model->decode(ids, encoded, mask.narrow(1, 0, 5)), usage_error);
  CHECK_THROWS_AS(model->start(encoded, mask, 0), usage_error);
}
