#pragma once
#include "fmsb/core/error.hpp"                // data_error
#include "fmsb/models/chronos/tokenizer.hpp"  // tokenizer, config
#include "fmsb/models/t5/config_file.hpp"     // load_t5

#include <filesystem>  // std::filesystem::path
#include <string>      // std::to_string

namespace fmsb::chronos {

/// A model and the tokenizer that it was trained with, whose configuration holds the lengths and how the
/// model is sampled.
template <nn::layer_type Model>
struct pretrained {
  nn::module<Model> model;
  tokenizer tokens;
};

namespace detail {

inline void require_same_tokens(const config& c, const models::t5_config& type, const std::string& file) {
  const auto compare = [&](const char* own, index_t value, const char* theirs, index_t of_model) {
    if (value != of_model)
      throw data_error(file + ": \"" + own + "\" of \"chronos_config\" is " + std::to_string(value) +
                       ", but the model's \"" + theirs + "\" is " + std::to_string(of_model) +
                       "; tokenizer and model do not belong together.");
  };
  compare("n_tokens", c.tokens, "vocab_size", type.vocabulary);
  compare("pad_token_id", c.pad, "decoder_start_token_id", type.decoder_start);
  compare("pad_token_id", c.pad, "pad_token_id", type.pad);
  compare("eos_token_id", c.eos, "eos_token_id", type.eos);
}

}  // namespace detail

/// The model of a folder as Hugging Face's save_pretrained and Python's chronos-forecasting write it:
/// config.json (T5's fields, compared with the type one by one, and "chronos_config") and model.safetensors.
/// The model is in evaluation mode; the adapters of a plan begin as they do on any model.
///
///     auto [model, tokens] = chronos::load<models::t5<models::chronos_t5_tiny>>("chronos-t5-tiny");
///     const auto samples = chronos::forecast(*model, tokens, series);
///
/// @tparam Model  a models::t5, with or without a plan
/// @throws data_error for what the folder lacks, a field or a tensor that does not fit, and where
///         "chronos_config" contradicts the model's fields; the message names the file
template <nn::layer_type Model>
requires requires { Model::config; }
pretrained<Model> load(const std::filesystem::path& folder) {
  const auto c = config::read(folder);
  auto model = models::load_t5<Model::config, typename Model::plan>(folder);
  detail::require_same_tokens(c, Model::config, (folder / "config.json").string());
  return {std::move(model), tokenizer(c)};
}

}  // namespace fmsb::chronos
