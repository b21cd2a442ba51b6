#pragma once
#include "fmsb/models/bare_weights.hpp"  // load_bare_weights, built_for_loading
#include "fmsb/models/config_file.hpp"   // read_model_config, config_comparison
#include "fmsb/models/t5.hpp"            // t5, t5_config

#include <array>        // std::array
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string
#include <string_view>  // std::string_view

/// A T5 from a folder as Hugging Face's save_pretrained writes it: config.json and model.safetensors.
namespace fmsb::models {

namespace detail {

/// Names under which files hold the table of tokens, the module's own first.
inline constexpr std::array<std::string_view, 4> t5_table_names{
    "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"};

/// The layers of a T5 that nobody adapts, all without biases.
inline constexpr std::array<std::string_view, 10> t5_layers{
    "shared", "q", "k", "v", "o", "wi", "wo", "relative_attention_bias", "layer_norm", "final_layer_norm"};

/// Compares the fields of T5's config.json that its stacks depend on.
inline void compare_t5_stacks(config_comparison& compared, const nlohmann::json& fields,
                              const t5_config& type) {
  compared.expect<std::string>("model_type", "t5", "t5");
  compared.expect<index_t>("d_model", type.width, 512);
  compared.expect<index_t>("d_ff", type.feed_forward, 2048);
  compared.expect<index_t>("d_kv", type.key_width, 64);
  compared.expect<index_t>("num_heads", type.heads, 8);
  compared.expect<index_t>("num_layers", type.encoder_layers, 6);
  compared.expect<index_t>("num_decoder_layers", type.decoder_layers, integer_or(fields, "num_layers", 6));
  compared.expect<index_t>("relative_attention_num_buckets", type.buckets, 32);
  compared.expect<index_t>("relative_attention_max_distance", type.max_distance, 128);
  compared.expect<double>("dropout_rate", type.dropout, 0.1);
  compared.expect<double>("layer_norm_epsilon", type.epsilon, 1e-6);
  compared.expect<index_t>("decoder_start_token_id", type.decoder_start,
                           integer_or(fields, "pad_token_id", 0));
  compared.expect<std::string>("feed_forward_proj", "relu", "relu");
}

}  // namespace detail

/// Compares a config.json with the type that its numbers are to be loaded into, field by field:
///
/// | config.json | t5_config |
/// |---|---|
/// | vocab_size, d_model, d_ff, d_kv, num_heads | vocabulary, width, feed_forward, key_width, heads |
/// | num_layers, num_decoder_layers | encoder_layers, decoder_layers |
/// | relative_attention_num_buckets, relative_attention_max_distance | buckets, max_distance |
/// | dropout_rate, layer_norm_epsilon | dropout, epsilon |
/// | pad_token_id, eos_token_id, decoder_start_token_id | pad, eos, decoder_start |
///
/// Besides, model_type must be "t5", feed_forward_proj "relu" and tie_word_embeddings true, for there is no
/// other here. A missing field is what transformers takes for it; `initializer_factor` and fields that are
/// not named above do not change what loaded numbers mean, and may be anything.
///
/// @param name  what the message calls the file
/// @throws data_error naming every field that differs, with both values
inline void require_t5_config(const nlohmann::json& fields, const t5_config& type, const std::string& name) {
  detail::config_comparison compared(fields);
  detail::compare_t5_stacks(compared, fields, type);
  compared.expect<index_t>("vocab_size", type.vocabulary, 32128);
  compared.expect<index_t>("pad_token_id", type.pad, 0);
  compared.expect<index_t>("eos_token_id", type.eos, 1);
  compared.expect<bool>("tie_word_embeddings", true, true);
  compared.require_equal(name, "a t5");
}

/// Copies a T5 file's numbers into a model, adapted or not. The table of tokens may stand in it under any or
/// several of `shared.weight`, `encoder.embed_tokens.weight`, `decoder.embed_tokens.weight` and
/// `lm_head.weight`, which must then hold the same. What adapters add keeps its numbers; those that start
/// from their base start again.
///
/// @throws data_error where the names of the table have different numbers, and as nn::load_state
template <t5_config C, class Plan>
void load_t5_weights(nn::module<t5<C, Plan>>& model, const data::safetensors_file& file) {
  detail::load_bare_weights(model, file, {.weights = detail::t5_layers, .tables = detail::t5_table_names});
}

/// The model of a folder: config.json is compared with the type, model.safetensors (or its index and shards)
/// read into it. The adapters of a plan begin as they do on any model.
///
///     auto model = models::load_t5<models::chronos_t5_tiny>("chronos-t5-tiny");
///
/// @throws data_error for what the folder lacks, a field or a tensor that does not fit
template <t5_config C, class Plan = adapt::none>
nn::module<t5<C, Plan>> load_t5(const std::filesystem::path& folder) {
  require_t5_config(read_model_config(folder), C, (folder / "config.json").string());
  const auto file = data::open_safetensors(folder);
  auto model = detail::built_for_loading<t5<C, Plan>>();
  load_t5_weights(model, file);
  model->eval();
  return model;
}

}  // namespace fmsb::models
