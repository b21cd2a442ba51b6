#include "fmsb/models/t5/config_file.hpp"  // load_t5, require_t5_config

#include "support/data.hpp"               // data_file, skip
#include "unit/models_t5/t5_support.hpp"  // tiny, tiny_t5, t5_fixture, distance

#include <filesystem>  // std::filesystem::copy_file
#include <fstream>     // std::ofstream
#include <string>      // std::string
#include <vector>      // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::distance, test::t5_fixture, test::tiny, test::tiny_t5;

namespace {

namespace fs = std::filesystem;

/// The sentence with which a configuration is refused, empty if it is not.
std::string complaint(const nlohmann::json& fields, const models::t5_config& type = tiny) {
  try {
    models::require_t5_config(fields, type, "config.json");
  } catch (const data_error& refused) { return refused.what(); }
  return "";
}

nlohmann::json tiny_config() { return models::read_model_config(test::t5_fixtures() / "tiny"); }

/// The tiny model's tensors with some more names for its table, in a file.
data::safetensors_file with_names(const fs::path& file, const std::vector<nn::named_tensor>& more,
                                  bool with_shared = true) {
  auto tensors = nn::detail::registered_tensors(*tiny_t5());
  if (!with_shared) std::erase_if(tensors, [](const auto& item) { return item.name == "shared.weight"; });
  tensors.insert(tensors.end(), more.begin(), more.end());
  nn::write_tensors(file, tensors);
  return data::open_safetensors(file);
}

}  // namespace

TEST_CASE("a folder of Hugging Face's loads, and computes what it computes there") {
  const torch::NoGradGuard no_gradient;
  auto model = models::load_t5<tiny>(test::t5_fixtures() / "tiny");
  CHECK_FALSE(model->is_training());
  const auto y = model->forward(t5_fixture("ids"), t5_fixture("mask"), t5_fixture("decoder_ids"));
  CHECK(distance(y, t5_fixture("logits")) < 1e-5);
}

TEST_CASE("the names of a T5's state dict are Hugging Face's") {
  const auto theirs = data::open_safetensors(test::t5_fixtures() / "tiny/model.safetensors");
  const auto own = tiny_t5()->named_parameters();
  CHECK(own.size() == theirs.size());
  for (const auto& item : own) CHECK(theirs.contains(item.key()));
}

TEST_CASE("the dummy checkpoint of chronos-forecasting's tests gives transformers' logits") {
  const auto found = test::data_file("../reference/chronos/dummy-chronos/model.safetensors");
  if (!found) return test::skip("reference/chronos/dummy-chronos is not there");
  constexpr models::t5_config dummy{.vocabulary = 32,
                                    .width = 64,
                                    .feed_forward = 32,
                                    .key_width = 16,
                                    .heads = 1,
                                    .encoder_layers = 1,
                                    .decoder_layers = 1};
  const torch::NoGradGuard no_gradient;
  auto model = models::load_t5<dummy>(found->parent_path());
  const auto given = [](const char* name) { return t5_fixture(name, "dummy.safetensors"); };
  CHECK(distance(model->forward(given("ids"), given("mask"), given("decoder_ids")), given("logits")) < 1e-5);
}

TEST_CASE("the table of tokens may stand under several names, if they agree") {
  test::temporary_folder scratch;
  const auto file = scratch.path / "model.safetensors";
  const auto table = tiny_t5()->at<"shared">().weight.detach().clone();
  nn::module<models::t5<tiny>> model;
  for (const bool with_shared : {true, false}) {
    CAPTURE(with_shared);
    const torch::NoGradGuard no_gradient;
    model->at<"shared">().weight.zero_();
    models::load_t5_weights(model, with_names(file,
                                              {{"encoder.embed_tokens.weight", table},
                                               {"decoder.embed_tokens.weight", table},
                                               {"lm_head.weight", table}},
                                              with_shared));
    CHECK(model->at<"shared">().weight.equal(table));
  }
  CHECK_THROWS_WITH_AS(
      models::load_t5_weights(model, with_names(file, {{"lm_head.weight", table + 1}})),
      (file.string() +
       ": shared.weight and lm_head.weight are one table in a T5 with tied embeddings, but have "
       "different numbers in the file. fmsb::models::t5 has no untied head.")
          .c_str(),
      data_error);
  CHECK_THROWS_AS(models::load_t5_weights(model, with_names(file, {{"encoder.extra.weight", table}})),
                  nn::state_mismatch);
  CHECK_THROWS_AS(models::load_t5_weights(model, with_names(file, {}, false)), nn::state_mismatch);
}

TEST_CASE("a configuration that differs is refused with every field and both values") {
  CHECK(complaint(tiny_config()) == "");
  auto fields = tiny_config();
  fields["d_model"] = 24;
  fields["feed_forward_proj"] = "gated-gelu";
  fields.erase("num_heads");
  CHECK(complaint(fields) ==
        "config.json describes another model than the type: d_model is 24 in the file and 20 in the type; "
        "num_heads "
        "is 8 by default and 3 in the type; feed_forward_proj is \"gated-gelu\" in the file and \"relu\" in "
        "the "
        "type. Load it into a t5 with these values.");

  // Every field that matters is compared, and as the kind of number that it is.
  for (const char* name :
       {"vocab_size", "d_model", "d_ff", "d_kv", "num_heads", "num_layers", "num_decoder_layers",
        "relative_attention_num_buckets", "relative_attention_max_distance", "dropout_rate",
        "layer_norm_epsilon", "pad_token_id", "eos_token_id", "decoder_start_token_id", "model_type",
        "feed_forward_proj", "tie_word_embeddings"}) {
    CAPTURE(name);
    auto one = tiny_config();
    REQUIRE(one.contains(name));
    one[name] = nlohmann::json::array();
    CHECK(complaint(one).find(name) != std::string::npos);
  }
}

TEST_CASE("what a configuration leaves out is what transformers takes for it, and what it adds is let be") {
  CHECK(complaint(nlohmann::json::object(), models::t5_config{}) == "");
  auto fields = tiny_config();
  fields["chronos_config"] = {{"n_tokens", 40}};
  fields["initializer_factor"] = 1.0;
  fields.erase("num_decoder_layers");  // as many as the encoder's
  fields.erase("decoder_start_token_id");
  CHECK(complaint(fields) == "");
  fields["num_layers"] = 3;
  CHECK(complaint(fields).find("num_decoder_layers is 3 by default and 2 in the type") != std::string::npos);
}

TEST_CASE("a folder without its files, or with others, is named") {
  test::temporary_folder scratch;
  const auto load = [&] { return models::load_t5<tiny>(scratch.path); };
  CHECK_THROWS_WITH_AS(load(),
                       ((scratch.path / "config.json").string() +
                        " cannot be opened; a model's folder holds config.json and model.safetensors.")
                           .c_str(),
                       data_error);
  std::ofstream(scratch.path / "config.json") << "[1, 2";
  CHECK_THROWS_WITH_AS(
      load(),
      ((scratch.path / "config.json").string() + " is not a JSON object, as Hugging Face writes one.")
          .c_str(),
      data_error);
  fs::copy_file(test::t5_fixtures() / "tiny/config.json", scratch.path / "config.json",
                fs::copy_options::overwrite_existing);
  CHECK_THROWS_AS(load(), data_error);
  fs::copy_file(test::t5_fixtures() / "tiny/model.safetensors", scratch.path / "model.safetensors");
  CHECK_NOTHROW(load());
}
