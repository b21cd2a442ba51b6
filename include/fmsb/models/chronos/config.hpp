#pragma once
#include "fmsb/core/error.hpp"        // usage_error, data_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text

#include <nlohmann/json.hpp>  // nlohmann::json

#include <filesystem>   // std::filesystem::path
#include <fstream>      // std::ifstream
#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <utility>      // std::pair

namespace fmsb::chronos {

/// What "chronos_config" in the config.json of a Chronos-T5 checkpoint says: the tokenizer, the lengths that
/// the model was trained for, and how it is sampled unless somebody asks otherwise. The defaults are those of
/// the published checkpoints (Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024,
/// section 5).
struct config {
  double low_limit = -15;          ///< centre of the lowest bin, in multiples of a series' scale
  double high_limit = 15;          ///< centre of the highest bin
  index_t tokens = 4096;           ///< size of the vocabulary, special tokens included
  index_t special_tokens = 2;      ///< ids below this are no values
  index_t pad = 0;                 ///< id of a gap; the decoder starts with it, too
  index_t eos = 1;                 ///< id that ends a sequence
  bool use_eos = true;             ///< whether contexts and labels end with it
  index_t context_length = 512;    ///< values of the past that the model sees at most
  index_t prediction_length = 64;  ///< steps ahead that the model was trained for
  index_t samples = 20;            ///< sample paths a series
  double temperature = 1;
  index_t top_k = 50;
  double top_p = 1;

  friend bool operator==(const config&, const config&) = default;

  /// The numbers of values that differ in token: the bins.
  index_t bins() const { return tokens - special_tokens - 1; }

  /// @throws usage_error where fields contradict one another, with both values
  void check() const {
    const auto refuse = [](const std::string& what) { throw usage_error("fmsb::chronos::config: " + what); };
    if (!(low_limit < high_limit) || !(high_limit - low_limit < 1e19))
      refuse("the bins from " + number_text(low_limit) + " to " + number_text(high_limit) +
             " are none; the lower limit comes first, and both are finite.");
    if (special_tokens < 1) refuse("there must be a special token at least, for gaps.");
    if (bins() < 2)
      refuse(std::to_string(tokens) + " tokens less " + std::to_string(special_tokens) +
             " special ones leave no two bins; give special_tokens + 3 tokens at least.");
    for (const auto& [name, id] : {std::pair("pad", pad), std::pair("eos", eos)})
      if (id < 0 || id >= special_tokens)
        refuse(std::string(name) + " is " + std::to_string(id) +
               ", but only ids below special_tokens = " + std::to_string(special_tokens) + " are no values.");
    for (const auto& [name, length] :
         {std::pair("context_length", context_length), std::pair("prediction_length", prediction_length),
          std::pair("samples", samples)})
      if (length < 1) refuse(std::string(name) + " is " + std::to_string(length) + "; it is 1 at least.");
  }

  /// From the object that stands as "chronos_config" in a config.json. Fields that are not known are passed
  /// over.
  ///
  /// @param where  what messages call the object
  /// @throws data_error for a field that is missing or of another kind, for another tokenizer, for models
  /// that are
  ///                    no encoder-decoder, and as check()
  static config from_json(const nlohmann::json& fields, const std::string& where = "chronos_config");

  /// From a file, or from the config.json in a folder. @throws data_error as from_json, and for what is no
  /// JSON
  static config read(const std::filesystem::path& path);

  /// As the Python package writes it.
  nlohmann::json to_json() const {
    return {{"tokenizer_class", "MeanScaleUniformBins"},
            {"tokenizer_kwargs", {{"low_limit", low_limit}, {"high_limit", high_limit}}},
            {"n_tokens", tokens},
            {"n_special_tokens", special_tokens},
            {"pad_token_id", pad},
            {"eos_token_id", eos},
            {"use_eos_token", use_eos},
            {"model_type", "seq2seq"},
            {"context_length", context_length},
            {"prediction_length", prediction_length},
            {"num_samples", samples},
            {"temperature", temperature},
            {"top_k", top_k},
            {"top_p", top_p}};
  }
};

namespace detail {

/// Reads the fields of one JSON object, each of which must be there and of the right kind.
struct field_reader {
  const nlohmann::json& fields;
  const std::string& where;

  const nlohmann::json& operator[](const char* name) const {
    const auto found = fields.find(name);
    if (found == fields.end())
      throw data_error(where + " has no field \"" + name +
                       "\"; the configuration of a Chronos-T5 model has it.");
    return *found;
  }

  template <class Value>
  void read(const char* name, Value& into) const {
    const auto& value = (*this)[name];
    const bool fits = std::is_same_v<Value, bool>          ? value.is_boolean()
                      : std::is_same_v<Value, std::string> ? value.is_string()
                      : std::is_same_v<Value, double>      ? value.is_number()
                                                           : value.is_number_integer();
    if (!fits)
      throw data_error(where + ": \"" + name + "\" is " + value.dump() + ", which is no " +
                       (std::is_same_v<Value, bool>          ? "true or false"
                        : std::is_same_v<Value, std::string> ? "text"
                        : std::is_same_v<Value, double>      ? "number"
                                                             : "whole number") +
                       ".");
    into = value.get<Value>();
  }
};

}  // namespace detail

inline config config::from_json(const nlohmann::json& fields, const std::string& where) {
  if (!fields.is_object()) throw data_error(where + " is no JSON object.");
  const detail::field_reader reader{fields, where};
  std::string text;
  if (!fields.contains("tokenizer_class") && fields.contains("input_patch_size"))
    throw data_error(where +
                     " belongs to a model that reads patches (Chronos-Bolt or Chronos-2), which has no "
                     "tokenizer; load it as such.");
  reader.read("tokenizer_class", text);
  if (text != "MeanScaleUniformBins")
    throw data_error(where + " names the tokenizer \"" + text + "\"; fmsb has MeanScaleUniformBins.");
  reader.read("model_type", text);
  if (text != "seq2seq")
    throw data_error(where + ": \"model_type\" is \"" + text +
                     "\"; fmsb has the encoder-decoder models, \"seq2seq\".");
  config c;
  const std::string limits_of = where + ", \"tokenizer_kwargs\"";
  const auto& limits = reader["tokenizer_kwargs"];
  if (!limits.is_object()) throw data_error(limits_of + " is no JSON object.");
  detail::field_reader{limits, limits_of}.read("low_limit", c.low_limit);
  detail::field_reader{limits, limits_of}.read("high_limit", c.high_limit);
  reader.read("n_tokens", c.tokens);
  reader.read("n_special_tokens", c.special_tokens);
  reader.read("pad_token_id", c.pad);
  reader.read("eos_token_id", c.eos);
  reader.read("use_eos_token", c.use_eos);
  reader.read("context_length", c.context_length);
  reader.read("prediction_length", c.prediction_length);
  reader.read("num_samples", c.samples);
  reader.read("temperature", c.temperature);
  reader.read("top_k", c.top_k);
  reader.read("top_p", c.top_p);
  try {
    c.check();
  } catch (const usage_error& problem) { throw data_error(where + ": " + problem.what()); }
  return c;
}

inline config config::read(const std::filesystem::path& path) {
  const auto file = std::filesystem::is_directory(path) ? path / "config.json" : path;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw data_error(file.string() + " cannot be opened; a Chronos checkpoint is a folder that holds it.");
  const auto fields = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (fields.is_discarded() || !fields.is_object())
    throw data_error(file.string() + " is not a JSON object.");
  const auto own = fields.find("chronos_config");
  if (own == fields.end())
    throw data_error(file.string() + " has no \"chronos_config\"; it does not describe a Chronos model.");
  return from_json(*own, file.string() + ", \"chronos_config\"");
}

}  // namespace fmsb::chronos
