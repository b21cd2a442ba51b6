#pragma once
#include "fmsb/core/error.hpp"         // data_error
#include "fmsb/core/pending_file.hpp"  // pending_file

#include <nlohmann/json.hpp>  // nlohmann::json

#include <filesystem>   // std::filesystem::path
#include <fstream>      // std::ifstream
#include <regex>        // std::regex
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace fmsb::adapt {

/// What `adapter_config.json` of Python's peft says. All fields are kept as they were read, those that fmsb
/// does not know too, so that a file that is read and written again loses nothing.
struct peft_config {
  nlohmann::json fields = nlohmann::json::object();

  /// "LORA", "VERA", "FOURIERFT", "LN_TUNING", "IA3", "ADALORA", "BEFT".
  std::string method() const { return fields.value("peft_type", std::string()); }

  /// @throws data_error naming the file and what is wrong with it
  static peft_config read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw data_error(file.string() + " cannot be opened; a peft directory holds this file.");
    peft_config config;
    config.fields = nlohmann::json::parse(in, limit_depth, /*allow_exceptions=*/false);
    if (config.fields.is_discarded() || !config.fields.is_object())
      throw data_error(file.string() + " is not a JSON object, as peft writes one.");
    if (!config.fields.contains("peft_type") || !config.fields["peft_type"].is_string())
      throw data_error(file.string() +
                       " does not say which method it is for: \"peft_type\" is missing or no text.");
    return config;
  }

  /// As peft writes it: two blanks a level, fields by name. The file is replaced as a whole or not at all.
  void write(const std::filesystem::path& file) const {
    pending_file out(file);
    out.write(fields.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace));
    out.commit();
  }

 private:
  /// Stops reading what is nested deeper than any configuration: the parser's stack is not the file's to
  /// fill.
  static bool limit_depth(int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > 64) throw data_error("A peft configuration nests deeper than 64 levels; it is no such file.");
    return true;
  }
};

namespace detail {

/// peft's list of targets: an entry equals a path or its last names.
inline bool suffix_matches(std::string_view entry, std::string_view path) {
  return path == entry ||
         (path.size() > entry.size() && path.ends_with(entry) && path[path.size() - entry.size() - 1] == '.');
}

/// The texts of a field that is a list, or nothing.
inline std::vector<std::string> texts_of(const nlohmann::json& fields, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = fields.find(name); found != fields.end() && found->is_array())
    for (const auto& item : *found)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

/// What a field says about one layer: the entry of its pattern field that names the layer, else the field.
/// Python's peft reads a key of a pattern as the end of a path, by regular expression.
inline nlohmann::json value_for(const nlohmann::json& fields, const std::string& name,
                                const std::string& pattern, const std::string& path) {
  if (const auto found = fields.find(pattern); found != fields.end() && found->is_object())
    for (const auto& [key, value] : found->items()) {
      if (suffix_matches(key, path)) return value;
      try {
        if (std::regex_match(path, std::regex("(.*\\.)?(" + key + ")"))) return value;
      } catch (const std::regex_error&) {  // no expression: then it is no name of ours either
      }
    }
  const auto found = fields.find(name);
  return found == fields.end() ? nlohmann::json() : *found;
}

}  // namespace detail

}  // namespace fmsb::adapt
