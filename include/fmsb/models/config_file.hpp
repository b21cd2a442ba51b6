#pragma once
#include "fmsb/core/error.hpp"   // data_error
#include "fmsb/core/extent.hpp"  // index_t

#include <nlohmann/json.hpp>  // nlohmann::json

#include <filesystem>   // std::filesystem::path
#include <fstream>      // std::ifstream
#include <string>       // std::string
#include <type_traits>  // std::is_same_v
#include <utility>      // std::move

/// The config.json of a folder as Hugging Face's save_pretrained writes it, beside a type.
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
  /// @param within  what stands before the names, where the fields are those of an inner object
  explicit config_comparison(const nlohmann::json& fields, std::string within = "")
      : fields_(fields), within_(std::move(within)) {}

  /// Compares a field, or what transformers takes for a missing one, with the type's value.
  template <class Value>
  void expect(const char* name, const Value& in_type, const Value& by_default) {
    const auto found = fields_.find(name);
    const nlohmann::json given =
        found == fields_.end() || found->is_null() ? nlohmann::json(by_default) : *found;
    if (same(given, in_type)) return;
    add(name, "is " + given.dump() + (found == fields_.end() ? " by default" : " in the file"), in_type);
  }

  /// Compares a field that a file must have.
  template <class Value>
  void expect_given(const char* name, const Value& in_type) {
    const auto found = fields_.find(name);
    if (found == fields_.end())
      add(name, "is missing in the file", in_type);
    else if (!same(*found, in_type))
      add(name, "is " + found->dump() + " in the file", in_type);
  }

  /// Adds the differences of an inner object.
  void add(const config_comparison& inner) { append(inner.text_); }

  /// The differences, empty where there are none.
  const std::string& text() const { return text_; }

  /// @param file   what the message calls the file
  /// @param model  what it is to be loaded into: "a t5"
  /// @throws data_error with the differences, if there are any
  void require_equal(const std::string& file, const std::string& model) const {
    if (!text_.empty())
      throw data_error(file + " describes another model than the type: " + text_ + ". Load it into " + model +
                       " with these values.");
  }

 private:
  void append(const std::string& text) { text_ += (text_.empty() || text.empty() ? "" : "; ") + text; }
  template <class Value>
  void add(const char* name, const std::string& given, const Value& in_type) {
    append(within_ + name + " " + given + " and " + nlohmann::json(in_type).dump() + " in the type");
  }

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
  std::string within_, text_;
};

/// The value of a field if it is an integer, else another one.
inline index_t integer_or(const nlohmann::json& fields, const char* name, index_t other) {
  const auto found = fields.find(name);
  return found != fields.end() && found->is_number_integer() ? found->get<index_t>() : other;
}

}  // namespace detail
}  // namespace fmsb::models
