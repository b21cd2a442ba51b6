#pragma once
#include "fmsb/adapt/start_from_base.hpp"  // start_from_base
#include "fmsb/core/error.hpp"             // data_error
#include "fmsb/models/t5.hpp"              // t5, t5_config
#include "fmsb/nn/initialise.hpp"          // without_initialisation
#include "fmsb/nn/state_dict.hpp"          // load_state, open_safetensors

#include <nlohmann/json.hpp>  // nlohmann::json

#include <array>        // std::array
#include <filesystem>   // std::filesystem::path
#include <fstream>      // std::ifstream
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v

/// A T5 from a folder as Hugging Face's save_pretrained writes it: config.json and model.safetensors.
namespace fmsb::models {

/// What a config.json says; all fields, also those that nobody here knows.
/// @param path  the file, or its folder
/// @throws data_error if it cannot be opened or is no JSON object
inline nlohmann::json read_model_config(std::filesystem::path path) {
  if (std::filesystem::is_directory(path)) path /= "config.json";
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw data_error(path.string() +
                     " cannot be opened; a model's folder holds config.json and model.safetensors.");
  auto fields = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (fields.is_discarded() || !fields.is_object())
    throw data_error(path.string() + " is not a JSON object, as Hugging Face writes one.");
  return fields;
}

namespace detail {

/// Gathers in what a config.json differs from a type.
class config_comparison {
 public:
  explicit config_comparison(const nlohmann::json& fields) : fields_(fields) {}

  /// Compares a field, or what transformers takes for a missing one, with the type's value.
  template <class Value>
  void expect(const char* name, const Value& in_type, const Value& by_default) {
    const auto found = fields_.find(name);
    const nlohmann::json given =
        found == fields_.end() || found->is_null() ? nlohmann::json(by_default) : *found;
    if (same(given, in_type)) return;
    text_ += (text_.empty() ? "" : "; ") + std::string(name) + " is " + given.dump() +
             (found == fields_.end() ? " by default" : " in the file") + " and " +
             nlohmann::json(in_type).dump() + " in the type";
  }

  /// The differences, empty where there are none.
  const std::string& text() const { return text_; }

 private:
  template <class Value>
  static bool same(const nlohmann::json& given, const Value& in_type) {
    if constexpr (std::is_same_v<Value, double>)
      return given.is_number() && given.get<double>() == in_type;
    else if constexpr (std::is_same_v<Value, index_t>)
      return given.is_number_integer() && given.get<index_t>() == in_type;
    else
      return given == nlohmann::json(in_type);
  }

  const nlohmann::json& fields_;
  std::string text_;
};

/// The value of a field if it is an integer, else another one.
inline index_t integer_or(const nlohmann::json& fields, const char* name, index_t other) {
  const auto found = fields.find(name);
  return found != fields.end() && found->is_number_integer() ? found->get<index_t>() : other;
}

/// Names under which files hold the table of tokens, the module's own first.
inline constexpr std::array<const char*, 4> t5_table_names{"shared.weight", "encoder.embed_tokens.weight",
                                                           "decoder.embed_tokens.weight", "lm_head.weight"};

/// Whether a T5 that nobody adapts has a parameter of this name: an adapter adds no `weight` under these.
inline bool of_bare_t5(std::string_view name) {
  constexpr std::array<std::string_view, 10> layers{
      "shared", "q", "k", "v", "o", "wi", "wo", "relative_attention_bias", "layer_norm", "final_layer_norm"};
  constexpr std::string_view end = ".weight";
  if (!name.ends_with(end)) return false;
  name.remove_suffix(end.size());
  if (const auto dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);
  for (const auto layer : layers)
    if (layer == name) return true;
  return false;
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
  compared.expect<std::string>("model_type", "t5", "t5");
  compared.expect<index_t>("vocab_size", type.vocabulary, 32128);
  compared.expect<index_t>("d_model", type.width, 512);
  compared.expect<index_t>("d_ff", type.feed_forward, 2048);
  compared.expect<index_t>("d_kv", type.key_width, 64);
  compared.expect<index_t>("num_heads", type.heads, 8);
  compared.expect<index_t>("num_layers", type.encoder_layers, 6);
  compared.expect<index_t>("num_decoder_layers", type.decoder_layers,
                           detail::integer_or(fields, "num_layers", 6));
  compared.expect<index_t>("relative_attention_num_buckets", type.buckets, 32);
  compared.expect<index_t>("relative_attention_max_distance", type.max_distance, 128);
  compared.expect<double>("dropout_rate", type.dropout, 0.1);
  compared.expect<double>("layer_norm_epsilon", type.epsilon, 1e-6);
  compared.expect<index_t>("pad_token_id", type.pad, 0);
  compared.expect<index_t>("eos_token_id", type.eos, 1);
  compared.expect<index_t>("decoder_start_token_id", type.decoder_start,
                           detail::integer_or(fields, "pad_token_id", 0));
  compared.expect<std::string>("feed_forward_proj", "relu", "relu");
  compared.expect<bool>("tie_word_embeddings", true, true);
  if (!compared.text().empty())
    throw data_error(name + " describes another model than the type: " + compared.text() +
                     ". Load it into a t5 with these values.");
}

/// Copies a T5 file's numbers into a model, adapted or not. The table of tokens may stand in it under any or
/// several of `shared.weight`, `encoder.embed_tokens.weight`, `decoder.embed_tokens.weight` and
/// `lm_head.weight`, which must then hold the same. What adapters add keeps its numbers; those that start
/// from their base start again.
///
/// @throws data_error where the names of the table have different numbers, and as nn::load_state
template <t5_config C, class Plan>
void load_t5_weights(nn::module<t5<C, Plan>>& model, const data::safetensors_file& file) {
  const char* kept = nullptr;
  nn::load_options options;
  for (const char* name : detail::t5_table_names) {
    const auto* stored = file.find(name);
    if (stored == nullptr) continue;
    if (kept == nullptr) {
      kept = name;
    } else {
      options.ignore.push_back(name);
      if (stored->shape != file.at(kept).shape || !nn::detail::same_content(*stored, file.at(kept)))
        throw data_error(
            file.name() + ": " + kept + " and " + name +
            " are one table in a T5 with tied embeddings, but have different numbers in the file. "
            "fmsb::models::t5 has no untied head.");
    }
  }
  if (kept != nullptr) options.rename = {{std::string(kept), "shared.weight"}};
  options.may_miss = [](std::string_view name) { return !detail::of_bare_t5(name); };
  nn::load_state(model, file, options);
  adapt::start_from_base(*model);
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
  nn::module<t5<C, Plan>> model(nullptr);
  if constexpr (std::is_same_v<Plan, adapt::none>) {
    const nn::without_initialisation read_at_once;
    model = nn::module<t5<C, Plan>>();
  } else {
    model = nn::module<t5<C, Plan>>();
  }
  load_t5_weights(model, file);
  model->eval();
  return model;
}

}  // namespace fmsb::models
