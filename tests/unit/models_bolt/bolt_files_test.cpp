#include "fmsb/models/chronos_bolt/config_file.hpp"  // load_chronos_bolt, require_chronos_bolt_config

#include "support/data.hpp"                   // data_file, skip
#include "support/folder.hpp"                 // temporary_folder
#include "support/message.hpp"                // message_of
#include "unit/models_bolt/bolt_support.hpp"  // small_bolt, bolt_fixture, series_distance

#include <string>  // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using test::bolt_fixture, test::distance, test::message_of, test::series_distance, test::small_bolt,
    test::tiny_bolt;

namespace {

nlohmann::json tiny_fields() { return models::read_model_config(test::bolt_fixtures() / "tiny"); }

/// The sentence with which a configuration is refused, empty if it is not.
std::string complaint(const nlohmann::json& fields) {
  return message_of<data_error>(
      [&] { models::require_chronos_bolt_config(fields, tiny_bolt, "config.json"); });
}

}  // namespace

TEST_CASE("a folder of chronos-forecasting's loads, and computes what it computes there") {
  const torch::NoGradGuard no_gradient;
  auto model = models::load_chronos_bolt<tiny_bolt>(test::bolt_fixtures() / "tiny");
  CHECK_FALSE(model->is_training());
  CHECK(series_distance(model->forward(bolt_fixture("context")), bolt_fixture("quantiles")) < 1e-5);
  const auto theirs = data::open_safetensors(test::bolt_fixtures() / "tiny/model.safetensors");
  const auto own = model->named_parameters();
  CHECK(own.size() == theirs.size());
  for (const auto& item : own) CHECK(theirs.contains(item.key()));
  CHECK_NOTHROW(models::load_chronos_bolt<test::overlapping_bolt>(test::bolt_fixtures() / "overlapping"));
}

TEST_CASE("the dummy Chronos-Bolt of chronos-forecasting's tests gives its quantiles and loss") {
  const auto found = test::data_file("../reference/chronos/dummy-chronos-bolt/model.safetensors");
  if (!found) return test::skip("reference/chronos/dummy-chronos-bolt is not there");
  constexpr models::chronos_bolt_config dummy{.t5 = {.vocabulary = 2,
                                                     .width = 8,
                                                     .feed_forward = 8,
                                                     .key_width = 4,
                                                     .heads = 4,
                                                     .encoder_layers = 4,
                                                     .decoder_layers = 4},
                                              .context_length = 512};
  const torch::NoGradGuard no_gradient;
  auto model = models::load_chronos_bolt<dummy>(found->parent_path());
  const auto given = [](const char* name) { return bolt_fixture(name, "dummy.safetensors"); };
  CHECK(series_distance(model->forward(given("context")), given("quantiles")) < 1e-5);
  CHECK(distance(model->loss(given("context"), given("target")), given("loss")) < 1e-5);
}

TEST_CASE("a Chronos-Bolt's configuration that differs is refused with every field and both values") {
  CHECK(complaint(tiny_fields()) == "");
  auto fields = tiny_fields();
  fields["d_ff"] = 30;
  fields["chronos_config"]["quantiles"] = {.1, .5};
  fields["chronos_config"].erase("use_reg_token");
  fields["chronos_config"].erase("input_patch_stride");
  CHECK(complaint(fields) ==
        "config.json describes another model than the type: d_ff is 30 in the file and 28 in the type; "
        "chronos_config.input_patch_stride is missing in the file and 8 in the type; "
        "chronos_config.quantiles is "
        "[0.1,0.5] in the file and [0.1,0.25,0.5,0.75,0.9] in the type; chronos_config.use_reg_token is "
        "false by "
        "default and true in the type. Load it into a chronos_bolt with these values.");

  for (const char* name :
       {"d_model", "d_ff", "d_kv", "num_heads", "num_layers", "num_decoder_layers",
        "relative_attention_num_buckets", "relative_attention_max_distance", "dropout_rate",
        "layer_norm_epsilon", "decoder_start_token_id", "model_type", "feed_forward_proj"}) {
    CAPTURE(name);
    auto one = tiny_fields();
    REQUIRE(one.contains(name));
    one[name] = nlohmann::json::array();
    CHECK(complaint(one).find(name) != std::string::npos);
  }
  for (const char* name : {"context_length", "prediction_length", "input_patch_size", "input_patch_stride",
                           "quantiles", "use_reg_token"}) {
    CAPTURE(name);
    auto one = tiny_fields();
    one["chronos_config"][name] = nlohmann::json::array();
    CHECK(complaint(one).find(name) != std::string::npos);
  }
}

TEST_CASE("a configuration of another kind of model is named") {
  auto fields = tiny_fields();
  fields["chronos_config"].erase("input_patch_size");
  CHECK(complaint(fields) ==
        "config.json: \"chronos_config\" has no \"input_patch_size\"; the model does not read patches, as "
        "Chronos-Bolt does. Load it as a Chronos-T5.");
  fields.erase("chronos_config");
  CHECK(complaint(fields) == "config.json has no \"chronos_config\"; it does not describe a Chronos model.");
  CHECK_THROWS_AS(models::load_chronos_bolt<tiny_bolt>(test::bolt_fixtures()), data_error);
}

TEST_CASE("a Chronos-Bolt's file must hold its tensors and no others") {
  test::temporary_folder scratch;
  const auto file = scratch.path / "model.safetensors";
  auto model = small_bolt();
  const auto load = [&](const auto& change) {
    auto tensors = nn::detail::registered_tensors(*small_bolt());
    change(tensors);
    nn::write_tensors(file, tensors);
    models::load_chronos_bolt_weights(model, data::open_safetensors(file));
  };
  CHECK_NOTHROW(load([](auto&) {}));
  CHECK_NOTHROW(load([](auto& all) {  // as older versions of transformers write the table
    all.push_back({"encoder.embed_tokens.weight", small_bolt()->at<"shared">().weight.detach()});
  }));
  CHECK_THROWS_AS(load([](auto& all) {
                    all.push_back({"encoder.extra.weight", at::ones({2})});
                  }),
                  nn::state_mismatch);
  for (const char* name :
       {"shared.weight", "output_patch_embedding.hidden_layer.bias",
        "input_patch_embedding.residual_layer.weight", "decoder.final_layer_norm.weight"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(
        load([&](auto& all) { std::erase_if(all, [&](const auto& x) { return x.name == name; }); }),
        nn::state_mismatch);
  }
}
