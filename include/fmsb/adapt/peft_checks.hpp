#pragma once
#include "fmsb/adapt/peft_config.hpp"  // peft_config
#include "fmsb/adapt/peft_model.hpp"   // peft_entry, peft_model
#include "fmsb/core/error.hpp"         // data_error

#include <algorithm>  // std::any_of, std::find, std::none_of
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <regex>      // std::regex
#include <string>     // std::string
#include <vector>     // std::vector

/// How the fields of a peft configuration and a model speak of each other: names, targets, what must agree.
namespace fmsb::adapt::detail {

inline const char* pattern_of(const std::string& field) {
  if (field == "r") return "rank_pattern";
  if (field == "lora_alpha") return "alpha_pattern";
  if (field == "n_frequency") return "n_frequency_pattern";
  return "";
}

inline std::string key_of(const std::string& path, const std::string& suffix) {
  return "base_model.model." + path + "." + suffix;
}

/// Targets that name these paths and no other layer: their list, else one expression for all of them.
inline nlohmann::json targets(const std::vector<std::string>& paths, const std::vector<std::string>& layers) {
  const auto named = [&](const std::string& path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end();
  };
  const bool exact = std::none_of(layers.begin(), layers.end(), [&](const std::string& layer) {
    return !named(layer) && std::any_of(paths.begin(), paths.end(),
                                        [&](const std::string& p) { return suffix_matches(p, layer); });
  });
  if (exact) return paths;
  std::string expression;
  for (const auto& path : paths) {
    expression += expression.empty() ? "" : "|";
    for (const char c : path) expression += c == '.' ? std::string("\\.") : std::string(1, c);
  }
  return expression;
}

/// Checks the file's targets against the layers that the model adapts, both ways.
inline void require_targets(const peft_config& config, const peft_model& model, const std::string& file) {
  const auto at = config.fields.find("target_modules");
  if (at == config.fields.end() || at->is_null()) return;
  const auto refuse = [&](const std::string& what) {
    std::string list;
    for (std::size_t i = 0; i < model.adapters.size() && i < 4; ++i)
      list += (i == 0 ? "" : ", ") + model.adapters[i].path;
    throw data_error(file + ": " + what + ". The model adapts " + list +
                     (model.adapters.size() > 4 ? ", ..." : "") + ".");
  };
  if (at->is_array()) {
    const auto entries = texts_of(config.fields, "target_modules");
    for (const auto& entry : entries)
      if (std::none_of(model.adapters.begin(), model.adapters.end(),
                       [&](const peft_entry& e) { return suffix_matches(entry, e.path); }))
        refuse("the target \"" + entry + "\" is no layer that the model adapts by " + config.method());
    for (const auto& e : model.adapters)
      if (std::none_of(entries.begin(), entries.end(),
                       [&](const std::string& entry) { return suffix_matches(entry, e.path); }))
        refuse("its targets do not name \"" + e.path + "\", which the model adapts by " + config.method());
  } else if (at->is_string() && at->get<std::string>() != "all-linear") {
    try {
      const std::regex expression(at->get<std::string>());
      for (const auto& e : model.adapters)
        if (!std::regex_match(e.path, expression))
          refuse("its target expression does not match \"" + e.path + "\", which the model adapts by " +
                 config.method());
    } catch (const std::regex_error&) {  // Python knows expressions that C++ does not; the tensors decide
    }
  }
}

/// Checks what decides the meaning of the numbers.
inline void require_fields(const peft_config& config, const peft_model& model, const std::string& file) {
  for (const auto& e : model.adapters) {
    for (const auto& [name, own] : e.fixed.items()) {
      const auto given = value_for(config.fields, name, pattern_of(name), e.path);
      if (given.is_null() || given == own) continue;
      throw data_error(file + ": \"" + name + "\" is " + given.dump() + " for \"" + e.path +
                       "\", but the model's layer has " + own.dump() + " (" + e.layer +
                       "). Load it into a model with the adapter that wrote it.");
    }
    if (e.feed_forward && config.fields.contains("feedforward_modules")) {
      bool named = false;
      const auto& field = config.fields["feedforward_modules"];
      if (field.is_string()) {
        try {
          named = std::regex_match(e.path, std::regex(field.get<std::string>()));
        } catch (const std::regex_error&) { named = *e.feed_forward; }
      } else {
        for (const auto& entry : texts_of(config.fields, "feedforward_modules"))
          named = named || suffix_matches(entry, e.path);
      }
      if (named != *e.feed_forward)
        throw data_error(file + ": \"" + e.path + "\" is " + (named ? "" : "not ") +
                         "among the feed-forward modules, but the model's layer is " + e.layer + ".");
    }
  }
}

/// AdaLoRA's files hold the directions that were kept; `rank_pattern` says which those are. The others are 0.
inline std::optional<tensor> with_lost_directions(const peft_config& config, const peft_entry& e,
                                                  const peft_tensor& own, const tensor& given) {
  const auto patterns = config.fields.find("rank_pattern");
  if (e.method != "ADALORA" || patterns == config.fields.end() || !patterns->is_object()) return std::nullopt;
  for (const auto& [key, mask] : patterns->items()) {
    const bool names_it = key == e.path + ".lora_E" || key.ends_with(e.path + ".lora_E") ||
                          key.find(e.path + ".lora_E.") != key.npos;
    if (!names_it || !mask.is_array()) continue;
    std::vector<index_t> kept;
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (mask[i] == true || mask[i] == 1) kept.push_back(static_cast<index_t>(i));
    const index_t axis = own.suffix == "lora_B" ? 1 : 0;
    auto sizes = own.shape;
    if (static_cast<index_t>(mask.size()) != sizes[static_cast<std::size_t>(axis)]) continue;
    sizes[static_cast<std::size_t>(axis)] = static_cast<index_t>(kept.size());
    if (given.sizes() != at::IntArrayRef(sizes)) continue;
    auto full = at::zeros(own.shape, given.options());
    for (std::size_t i = 0; i < kept.size(); ++i)
      full.select(axis, kept[i]).copy_(given.select(axis, static_cast<index_t>(i)));
    return full;
  }
  return std::nullopt;
}

}  // namespace fmsb::adapt::detail
