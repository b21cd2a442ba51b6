#include "fmsb/models/chronos2/config_file.hpp"  // load_chronos2, require_chronos2_config

#include "support/data.hpp"                           // data_file, skip
#include "support/message.hpp"                        // message_of
#include "unit/models_chronos2/chronos2_support.hpp"  // tiny_chronos2_config, chronos2_fixture, chronos2_distance

#include <filesystem>  // std::filesystem::copy_file
#include <string>      // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using test::chronos2_distance, test::chronos2_fixture, test::tiny_chronos2, test::tiny_chronos2_config;

namespace {

namespace fs = std::filesystem;

/// The sentence with which a configuration is refused, empty if it is not.
std::string complaint(const nlohmann::json& fields,
                      const models::chronos2_config& type = tiny_chronos2_config) {
  return test::message_of<data_error>([&] { models::require_chronos2_config(fields, type, "config.json"); });
}

nlohmann::json tiny_config() { return models::read_model_config(test::chronos2_fixtures() / "tiny"); }

}  // namespace

TEST_CASE("a folder of Chronos-2 loads, and computes what it computes in chronos-forecasting") {
  const torch::NoGradGuard no_gradient;
  auto model = models::load_chronos2<tiny_chronos2_config>(test::chronos2_fixtures() / "tiny");
  CHECK_FALSE(model->is_training());
  CHECK(chronos2_distance(model->predict(chronos2_fixture("context"), 12), chronos2_fixture("alone")) < 1e-5);
}

TEST_CASE("the names of Chronos-2's state dict are those of its files") {
  const auto theirs = data::open_safetensors(test::chronos2_fixtures() / "tiny/model.safetensors");
  const auto own = tiny_chronos2()->named_parameters();
  CHECK(own.size() == theirs.size());
  for (const auto& item : own) CHECK(theirs.contains(item.key()));
  CHECK(tiny_chronos2()->named_buffers().is_empty());
}

TEST_CASE("a tensor too many, too few or of another shape is refused") {
  test::temporary_folder scratch;
  const auto file = scratch.path / "model.safetensors";
  auto model = tiny_chronos2();
  const auto load = [&](const std::vector<nn::named_tensor>& tensors) {
    nn::write_tensors(file, tensors);
    models::load_chronos2_weights(model, data::open_safetensors(file));
  };
  const auto all = nn::detail::registered_tensors(*tiny_chronos2());
  CHECK_NOTHROW(load(all));
  auto more = all, fewer = all, without_bias = all, other = all;
  more.push_back({"decoder.weight", at::zeros({2})});
  CHECK_THROWS_AS(load(more), nn::state_mismatch);
  fewer.pop_back();
  CHECK_THROWS_AS(load(fewer), nn::state_mismatch);
  std::erase_if(without_bias,
                [](const auto& x) { return x.name == "input_patch_embedding.hidden_layer.bias"; });
  CHECK_THROWS_AS(load(without_bias), nn::state_mismatch);
  other.front().value = at::zeros({3, 20});
  CHECK_THROWS_AS(load(other), nn::state_mismatch);
}

TEST_CASE("a Chronos-2 configuration that differs is refused with every field and both values") {
  CHECK(complaint(tiny_config()) == "");
  auto fields = tiny_config();
  fields["d_model"] = 24;
  fields["feed_forward_proj"] = "gated-gelu";
  fields.erase("num_heads");
  fields["chronos_config"]["input_patch_stride"] = 2;
  fields["chronos_config"].erase("use_arcsinh");
  CHECK(complaint(fields) ==
        "config.json describes another model than the type: d_model is 24 in the file and 20 in the type; "
        "num_heads is 8 by default and 3 in the type; feed_forward_proj is \"gated-gelu\" in the file and "
        "\"relu\" in the type; chronos_config.input_patch_stride is 2 in the file and 4 in the type; "
        "chronos_config.use_arcsinh is false by default and true in the type. Load it into a chronos2 with "
        "these "
        "values.");

  // Every field that matters is compared, and as the kind of value that it is.
  for (const char* name : {"d_model", "d_ff", "d_kv", "num_heads", "num_layers", "dropout_rate",
                           "layer_norm_epsilon", "rope_theta", "model_type", "feed_forward_proj"}) {
    CAPTURE(name);
    auto one = tiny_config();
    REQUIRE(one.contains(name));
    one[name] = nlohmann::json::array();
    CHECK(complaint(one).find(name) != std::string::npos);
  }
  for (const char* name :
       {"context_length", "input_patch_size", "input_patch_stride", "output_patch_size", "quantiles",
        "max_output_patches", "time_encoding_scale", "use_reg_token", "use_arcsinh"}) {
    CAPTURE(name);
    auto one = tiny_config();
    REQUIRE(one["chronos_config"].contains(name));
    one["chronos_config"][name] = nlohmann::json::array();
    CHECK(complaint(one).find(name) != std::string::npos);
  }
}

TEST_CASE("what a Chronos-2 configuration leaves out is what its program takes for it") {
  auto fields = tiny_config();
  fields["initializer_factor"] = 1.0;
  fields["of_somebody"] = {{"else", 1}};
  for (const char* name : {"dropout_rate", "layer_norm_epsilon", "model_type", "feed_forward_proj"})
    fields.erase(name);
  CHECK(complaint(fields) == "");
  fields["chronos_config"].erase("time_encoding_scale");
  CHECK(complaint(fields).find("time_encoding_scale is 40 by default and 64 in the type") !=
        std::string::npos);
  const models::chronos2_config defaults{
      .context_length = 2048, .most_patches = 1, .time_scale = 2048, .quantiles = {.5}};
  CHECK(complaint({{"chronos_config",
                    {{"context_length", 2048},
                     {"input_patch_size", 16},
                     {"input_patch_stride", 16},
                     {"output_patch_size", 16},
                     {"quantiles", {.5}},
                     {"use_reg_token", true},
                     {"use_arcsinh", true}}}},
                  defaults) == "");
}

TEST_CASE("the configuration of another Chronos is named") {
  CHECK(complaint(nlohmann::json::object()) ==
        "config.json has no \"chronos_config\"; it does not describe a Chronos model.");
  CHECK(
      complaint({{"chronos_config", {{"input_patch_size", 16}}}}) ==
      "config.json: \"chronos_config\" has no \"output_patch_size\"; the model does not predict patches, as "
      "Chronos-2 does. Load it as a Chronos-Bolt.");
  CHECK(complaint({{"chronos_config", {{"n_tokens", 16}}}}).ends_with("Load it as a Chronos-T5."));
}

TEST_CASE("a folder of Chronos-2 without its files is named") {
  test::temporary_folder scratch;
  const auto load = [&] { return models::load_chronos2<tiny_chronos2_config>(scratch.path); };
  CHECK_THROWS_AS(load(), data_error);
  fs::copy_file(test::chronos2_fixtures() / "tiny/config.json", scratch.path / "config.json");
  CHECK_THROWS_AS(load(), data_error);
  fs::copy_file(test::chronos2_fixtures() / "tiny/model.safetensors", scratch.path / "model.safetensors");
  CHECK_NOTHROW(load());
}
