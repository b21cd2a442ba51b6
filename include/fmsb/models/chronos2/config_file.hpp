#pragma once
#include "fmsb/models/bare_weights.hpp"  // load_bare_weights, built_for_loading
#include "fmsb/models/chronos2.hpp"      // chronos2, chronos2_config
#include "fmsb/models/config_file.hpp"   // read_model_config, config_comparison, integer_or

#include <array>        // std::array
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

/// A Chronos-2 from a folder as Hugging Face's save_pretrained writes it: config.json and model.safetensors.
namespace fmsb::models {

/// Compares a config.json with the type that its numbers are to be loaded into, field by field:
///
/// | config.json | chronos2_config |
/// |---|---|
/// | d_model, d_ff, d_kv, num_heads, num_layers | width, feed_forward, key_width, heads, layers |
/// | dropout_rate, layer_norm_epsilon, rope_theta | dropout, epsilon, rotary_base |
/// | chronos_config: context_length, quantiles | the same |
/// | chronos_config: input_patch_size, input_patch_stride, output_patch_size | patch, all three |
/// | chronos_config: max_output_patches, time_encoding_scale | most_patches, time_scale |
///
/// Besides, model_type must be "t5", feed_forward_proj "relu", and chronos_config's use_reg_token and
/// use_arcsinh true, for there is no other here. A missing field is what the Python package takes for it,
/// where it takes something. Other fields do not change what loaded numbers mean, and may be anything.
///
/// @param name  what the message calls the file
/// @throws data_error naming every field that differs, with both values; for a file without "chronos_config"
/// or
///                    of a Chronos that reads no patches of the future
inline void require_chronos2_config(const nlohmann::json& fields, const chronos2_config& type,
                                    const std::string& name) {
  const auto own = fields.find("chronos_config");
  if (own == fields.end() || !own->is_object())
    throw data_error(name + " has no \"chronos_config\"; it does not describe a Chronos model.");
  if (!own->contains("output_patch_size"))
    throw data_error(
        name +
        ": \"chronos_config\" has no \"output_patch_size\"; the model does not predict patches, as "
        "Chronos-2 does. Load it as a " +
        (own->contains("input_patch_size") ? "Chronos-Bolt." : "Chronos-T5."));
  detail::config_comparison compared(fields), inner(*own, "chronos_config.");
  compared.expect<std::string>("model_type", "t5", "t5");
  compared.expect<index_t>("d_model", type.width, 512);
  compared.expect<index_t>("d_ff", type.feed_forward, 2048);
  compared.expect<index_t>("d_kv", type.key_width, 64);
  compared.expect<index_t>("num_heads", type.heads, 8);
  compared.expect<index_t>("num_layers", type.layers, 6);
  compared.expect<double>("dropout_rate", type.dropout, 0.1);
  compared.expect<double>("layer_norm_epsilon", type.epsilon, 1e-6);
  compared.expect<double>("rope_theta", type.rotary_base, 10000);
  compared.expect<std::string>("feed_forward_proj", "relu", "relu");
  inner.expect_given<index_t>("context_length", type.context_length);
  inner.expect_given<index_t>("input_patch_size", type.patch);
  inner.expect_given<index_t>("input_patch_stride", type.patch);
  inner.expect_given<index_t>("output_patch_size", type.patch);
  inner.expect_given<std::vector<double>>("quantiles", {type.quantiles.begin(), type.quantiles.end()});
  inner.expect<index_t>("max_output_patches", type.most_patches, 1);
  inner.expect<index_t>("time_encoding_scale", type.time_scale,
                        detail::integer_or(*own, "context_length", 0));
  inner.expect<bool>("use_reg_token", true, false);
  inner.expect<bool>("use_arcsinh", true, false);
  compared.add(inner);
  compared.require_equal(name, "a chronos2");
}

/// Copies a Chronos-2 file's numbers into a model, adapted or not. What adapters add keeps its numbers; those
/// that start from their base start again.
/// @throws as nn::load_state
template <chronos2_config C, class Plan>
void load_chronos2_weights(nn::module<chronos2<C, Plan>>& model, const data::safetensors_file& file) {
  static constexpr std::array<std::string_view, 12> layers{
      "hidden_layer", "output_layer", "residual_layer", "shared",          "q", "k", "v", "o",
      "wi",           "wo",           "layer_norm",     "final_layer_norm"};
  detail::load_bare_weights(model, file, {.weights = layers, .biases = std::span(layers).first(3)});
}

/// The model of a folder: config.json is compared with the type, model.safetensors (or its index and shards)
/// read into it. The adapters of a plan begin as they do on any model.
///
///     auto model = models::load_chronos2<models::chronos2_base>("chronos-2");
///
/// @throws data_error for what the folder lacks, a field or a tensor that does not fit
template <chronos2_config C, class Plan = adapt::none>
nn::module<chronos2<C, Plan>> load_chronos2(const std::filesystem::path& folder) {
  require_chronos2_config(read_model_config(folder), C, (folder / "config.json").string());
  const auto file = data::open_safetensors(folder);
  auto model = detail::built_for_loading<chronos2<C, Plan>>();
  load_chronos2_weights(model, file);
  model->eval();
  return model;
}

}  // namespace fmsb::models
