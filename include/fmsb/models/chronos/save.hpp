#pragma once
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/core/pending_file.hpp"      // pending_file
#include "fmsb/models/chronos/config.hpp"  // config
#include "fmsb/models/t5.hpp"              // t5, t5_config
#include "fmsb/nn/state_dict.hpp"          // save_state

#include <nlohmann/json.hpp>  // nlohmann::json

#include <filesystem>  // std::filesystem::create_directories
#include <string>      // std::to_string

namespace fmsb::chronos {

/// What Hugging Face's config.json says of such a model: T5's fields, and the tokenizer's as
/// "chronos_config".
inline nlohmann::json config_fields(const models::t5_config& type, const config& c) {
  return {{"architectures", {"T5ForConditionalGeneration"}},
          {"chronos_config", c.to_json()},
          {"d_ff", type.feed_forward},
          {"d_kv", type.key_width},
          {"d_model", type.width},
          {"decoder_start_token_id", type.decoder_start},
          {"dense_act_fn", "relu"},
          {"dropout_rate", type.dropout},
          {"eos_token_id", type.eos},
          {"feed_forward_proj", "relu"},
          {"initializer_factor", type.initializer_factor},
          {"is_encoder_decoder", true},
          {"is_gated_act", false},
          {"layer_norm_epsilon", type.epsilon},
          {"model_type", "t5"},
          {"n_positions", c.context_length},
          {"num_decoder_layers", type.decoder_layers},
          {"num_heads", type.heads},
          {"num_layers", type.encoder_layers},
          {"pad_token_id", type.pad},
          {"relative_attention_max_distance", type.max_distance},
          {"relative_attention_num_buckets", type.buckets},
          {"tie_word_embeddings", true},
          {"torch_dtype", "float32"},
          {"use_cache", true},
          {"vocab_size", type.vocabulary}};
}

/// Writes a folder that `load` and Python's ChronosPipeline.from_pretrained read: config.json and
/// model.safetensors, each replaced as a whole. The table of tokens is written once, as `shared.weight`; the
/// others are tied to it by "tie_word_embeddings".
///
/// A model with adapters is merged first (adapt/merge.hpp). One that keeps biases from beft has no place in
/// such a folder, for Hugging Face's T5 has none: it is another type, and does not compile here.
///
/// @throws usage_error where tokenizer and model do not belong together, or the folder cannot be written
template <models::t5_config C>
void save(const nn::module<models::t5<C>>& model, const config& c, const std::filesystem::path& folder) {
  c.check();
  if (c.tokens != C.vocabulary || c.pad != C.pad || c.eos != C.eos)
    throw usage_error("fmsb::chronos::save: the tokenizer has " + std::to_string(c.tokens) + " tokens, pad " +
                      std::to_string(c.pad) + " and eos " + std::to_string(c.eos) + ", the model " +
                      std::to_string(C.vocabulary) + ", " + std::to_string(C.pad) + " and " +
                      std::to_string(C.eos) + "; they do not belong together.");
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem)
    throw usage_error("The folder " + folder.string() + " cannot be made: " + problem.message() + ".");
  nn::save_state(model, folder / "model.safetensors");
  pending_file out(folder / "config.json");
  out.write(config_fields(C, c).dump(2) + "\n");
  out.commit();
}

}  // namespace fmsb::chronos
