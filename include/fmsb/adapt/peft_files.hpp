#pragma once
#include "fmsb/adapt/merge.hpp"         // has_blocks, has_children
#include "fmsb/adapt/peft_config.hpp"   // peft_config
#include "fmsb/adapt/peft_methods.hpp"  // peft_method, peft_tensor
#include "fmsb/core/error.hpp"          // data_error, usage_error
#include "fmsb/data/safetensors.hpp"    // open_safetensors
#include "fmsb/nn/module.hpp"           // module
#include "fmsb/nn/state_mismatch.hpp"   // state_mismatch
#include "fmsb/nn/tensor_file.hpp"      // tensor_of, write_tensors

#include <algorithm>    // std::any_of, std::find_if
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <map>          // std::map
#include <optional>     // std::optional
#include <regex>        // std::regex
#include <string>       // std::string
#include <tuple>        // std::tuple
#include <type_traits>  // std::type_identity
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

namespace fmsb::adapt {

struct peft_options {
  /// Which method to write or read where a model holds several, as peft keeps one a directory: "LORA".
  std::string method{};
  /// Fields that were read with another directory, or are to be written beside the model's own:
  /// base_model_name_or_path, task_type, what fmsb does not know. What the model decides is written over
  /// them.
  peft_config config{};
};

namespace detail {

/// One adapter of one layer.
struct peft_entry {
  std::string path, method, layer;
  nlohmann::json fixed, free;
  std::vector<peft_tensor> tensors;
  std::optional<bool> feed_forward;
  std::optional<std::pair<tensor, tensor>> shared;  // VeRA's A and B
  index_t groups = 1;
};

/// What a walk over a model finds.
struct peft_model {
  std::vector<peft_entry> adapters;
  std::vector<std::pair<std::string, const torch::nn::Module*>> whole;  // layers that train as they are
  std::vector<std::string> layers;                                      // paths of all
  std::vector<std::string> without_file;                                // adapters that peft has not
};

template <class T>
void add_adapters(const T& layer, const std::string& path, peft_model& found) {
  if constexpr (is_adapted<T>) {
    using inner = typename T::inner;
    add_adapters(static_cast<const inner&>(layer), path, found);
    if constexpr (!std::same_as<T, typename frozen::template on<inner>>) {
      using method = peft_method<typename T::adapter>;
      if constexpr (method::type == nullptr) {
        found.without_file.push_back(path + ": " + T::adapter::describe());
      } else {
        peft_entry entry{path,
                         method::type,
                         layer.describe(),
                         method::fixed(),
                         method::free(),
                         method::tensors(layer),
                         {},
                         {},
                         1};
        if constexpr (requires { method::feed_forward; }) entry.feed_forward = method::feed_forward;
        if constexpr (requires { method::shared(layer); }) entry.shared = method::shared(layer);
        if constexpr (requires { layer.lora_A; }) entry.groups = inner::groups;
        found.adapters.push_back(std::move(entry));
      }
    }
  } else if (const auto all = layer.parameters();
             std::any_of(all.begin(), all.end(), [](const tensor& p) { return p.requires_grad(); })) {
    found.whole.emplace_back(path, &layer);
  }
}

template <class T>
void walk(const T& part, const std::string& path, peft_model& found) {
  const auto under = [&](const std::string& name) { return path.empty() ? name : path + "." + name; };
  if constexpr (has_blocks<T>) {
    walk(part.first(), under("0"), found);
    for (index_t i = 1; i < T::size; ++i) walk(part[i], under(std::to_string(i)), found);
  } else if constexpr (has_children<T>) {
    [&]<class... Children>(std::type_identity<std::tuple<Children...>>) {
      (walk(part.template at<Children::name>(), under(std::string(Children::name.view())), found), ...);
    }(std::type_identity<typename T::children>{});
  } else {
    found.layers.push_back(path);
    add_adapters(part, path, found);
    // What trains under an adapter is the adapter, or what it lets train: no whole layer.
    if (is_adapted<T> && !found.whole.empty() && found.whole.back().first == path) found.whole.pop_back();
  }
}

/// The adapters of one method.
/// @throws usage_error where there are none, or several methods and no word which
template <class T>
peft_model chosen(const T& module, std::string method, const char* who) {
  peft_model found;
  walk(module, "", found);
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : found.adapters) ++counts[entry.method];
  std::string list;
  for (const auto& [name, count] : counts) list += (list.empty() ? "" : ", ") + name;
  if (method.empty() && counts.size() > 1)
    throw usage_error(std::string(who) + ": the model holds the methods " + list +
                      ", and a peft directory holds one. Name it in peft_options::method.");
  if (method.empty() && counts.empty())
    throw usage_error(std::string(who) + ": the model has no adapter that peft could read" +
                      (found.without_file.empty() ? "" : " (" + found.without_file.front() + ")") +
                      ". LORA, VERA, FOURIERFT, LN_TUNING, IA3, ADALORA and BEFT have files.");
  if (method.empty() && !found.without_file.empty())
    throw usage_error(
        std::string(who) + ": Python's peft has no file for " + found.without_file.front() +
        ". Name the method that is meant in peft_options::method, and the others are left out.");
  if (method.empty()) method = counts.begin()->first;
  if (!counts.contains(method))
    throw usage_error(std::string(who) + ": no layer of the model is adapted by " + method +
                      (list.empty() ? "" : "; the model holds " + list) + ".");
  std::erase_if(found.adapters, [&](const peft_entry& entry) { return entry.method != method; });
  for (const auto& entry : found.adapters)
    if (entry.path.empty())
      throw usage_error(std::string(who) +
                        ": peft names adapters by their layer's path, but the model is "
                        "one layer. Make it a child of a composite.");
  for (const auto& entry : found.adapters)
    if (entry.groups > 1)
      throw usage_error(std::string(who) + ": \"" + entry.path + "\" is " + entry.layer +
                        ". Python's peft does not group the first factor of a grouped convolution, so it "
                        "has no file for it; merge it, or save it with torch::save.");
  return found;
}

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

}  // namespace detail

/// Writes the adapters of a model as Python's peft does, into a folder that is made where it is missing:
/// `adapter_config.json` and `adapter_model.safetensors`. What the plan trains whole is written as peft's
/// `modules_to_save`. PeftModel.from_pretrained reads it on a Python model with the same names.
///
/// @throws usage_error if the model has no adapter that peft has, several methods and no word which, options
///         that one configuration cannot hold, or an adapter on a grouped convolution
template <class T>
void save_peft(const nn::module<T>& module, const std::filesystem::path& folder,
               const peft_options& options = {}) {
  const auto found = detail::chosen(static_cast<const T&>(*module), options.method, "fmsb::adapt::save_peft");
  const auto& first = found.adapters.front();
  peft_config config = options.config;
  auto& fields = config.fields;
  for (const char* name : {"auto_mapping", "base_model_name_or_path", "revision", "task_type"})
    if (!fields.contains(name)) fields[name] = nullptr;
  for (const auto& [name, value] : first.free.items())
    if (!fields.contains(name)) fields[name] = value;
  fields["peft_type"] = first.method;
  fields["inference_mode"] = true;
  for (const auto& [name, value] : first.fixed.items()) {
    fields[name] = value;
    const std::string pattern = detail::pattern_of(name);
    auto differing = nlohmann::json::object();
    for (const auto& e : found.adapters) {
      if (e.fixed.at(name) == value) continue;
      if (pattern.empty())
        throw usage_error("fmsb::adapt::save_peft: \"" + name + "\" is " + value.dump() + " for \"" +
                          first.path + "\" and " + e.fixed.at(name).dump() + " for \"" + e.path +
                          "\"; a peft directory holds one value for all layers. Give them one.");
      differing[e.path] = e.fixed.at(name);
    }
    if (!pattern.empty() && (first.method == "LORA" || first.method == "FOURIERFT"))
      fields[pattern] = differing;
  }

  if (first.method == "ADALORA") fields["rank_pattern"] = nullptr;  // all directions are written

  std::vector<std::string> paths, feed_forward, whole;
  std::vector<nn::named_tensor> tensors;
  for (const auto& e : found.adapters) {
    paths.push_back(e.path);
    if (e.feed_forward.value_or(false)) feed_forward.push_back(e.path);
    for (const auto& own : e.tensors)
      tensors.push_back({detail::key_of(e.path, own.suffix), own.value.detach().reshape(own.shape)});
    if (e.shared && (!first.shared->first.is_same(e.shared->first)))
      throw usage_error("fmsb::adapt::save_peft: the layers \"" + first.path + "\" and \"" + e.path +
                        "\" do not share the matrices of VeRA, as all layers of a peft model do. Give "
                        "vera_options::max_in and max_out, the widest input and output of all.");
  }
  if (first.shared) {
    tensors.push_back({"base_model.vera_A", first.shared->first});
    tensors.push_back({"base_model.vera_B", first.shared->second});
  }
  for (const auto& [path, layer] : found.whole) {
    whole.push_back(path);
    for (const auto& item : layer->named_parameters())
      tensors.push_back({detail::key_of(path, item.key()), item.value()});
    for (const auto& item : layer->named_buffers())
      tensors.push_back({detail::key_of(path, item.key()), item.value()});
  }
  fields["target_modules"] = detail::targets(paths, found.layers);
  if (first.feed_forward) fields["feedforward_modules"] = feed_forward;
  fields["modules_to_save"] = whole.empty() ? nlohmann::json() : nlohmann::json(whole);

  std::filesystem::create_directories(folder);
  nn::write_tensors(folder / "adapter_model.safetensors", tensors);
  config.write(folder / "adapter_config.json");
}

/// Reads a directory of Python's peft, or of `save_peft`, into the adapters of a model. Everything is
/// compared before the first number is written: targets, ranks and other options that decide what the numbers
/// mean, names and shapes.
///
/// @return the configuration with all its fields, for `peft_options::config` of a later `save_peft`
/// @throws data_error naming the target, field or file that does not fit; nn::state_mismatch with the names
/// of
///         tensors that are missing, unexpected or of another shape
/// @throws usage_error if the model has no adapter that peft has, or several methods and no word which
template <class T>
peft_config load_peft(nn::module<T>& module, const std::filesystem::path& folder,
                      const peft_options& options = {}) {
  const auto file = folder / "adapter_config.json";
  auto config = peft_config::read(file);
  detail::peft_model all;
  detail::walk(static_cast<const T&>(*module), "", all);
  const auto wanted = options.method.empty() ? config.method() : options.method;
  if (wanted != config.method() ||
      std::none_of(all.adapters.begin(), all.adapters.end(),
                   [&](const detail::peft_entry& e) { return e.method == wanted; }))
    throw data_error(file.string() + " is for the method " + config.method() +
                     (wanted != config.method() ? ", but " + wanted + " was asked for."
                                                : ", by which no layer of the model is adapted."));
  const auto model =
      detail::chosen(static_cast<const T&>(*module), config.method(), "fmsb::adapt::load_peft");
  detail::require_targets(config, model, file.string());
  detail::require_fields(config, model, file.string());

  const auto stored = data::open_safetensors(folder / "adapter_model.safetensors");
  nn::state_differences differences;
  std::vector<std::pair<tensor, tensor>> copies;  // from, into
  std::vector<std::string> read;
  const auto take = [&](const std::string& key, const tensor& into, const std::vector<index_t>& shape,
                        const detail::peft_entry* e, const detail::peft_tensor* own) {
    const auto* given = stored.find(key);
    if (given == nullptr) given = stored.find(key + ".weight");  // peft's magnitude vector has had both names
    if (given == nullptr) {
      differences.missing.push_back(key);
      return;
    }
    read.push_back(given->name);
    auto value = nn::tensor_of(*given);
    if (e != nullptr)
      if (auto full = detail::with_lost_directions(config, *e, *own, value)) value = *full;
    if (value.sizes() != at::IntArrayRef(shape)) {
      differences.misshaped.push_back({given->name, given->shape, shape});
      return;
    }
    copies.emplace_back(value.reshape(into.sizes()), into);
  };
  for (const auto& e : model.adapters)
    for (const auto& own : e.tensors)
      take(detail::key_of(e.path, own.suffix), own.value, own.shape, &e, &own);
  const auto saved = detail::texts_of(config.fields, "modules_to_save");
  for (const auto& [path, layer] : model.whole) {
    const std::string& name = path;
    if (std::none_of(saved.begin(), saved.end(),
                     [&](const std::string& entry) { return detail::suffix_matches(entry, name); }))
      continue;
    for (const auto& item : layer->named_parameters())
      take(detail::key_of(path, item.key()), item.value(), item->sizes().vec(), nullptr, nullptr);
    for (const auto& item : layer->named_buffers())
      take(detail::key_of(path, item.key()), item.value(), item->sizes().vec(), nullptr, nullptr);
  }
  if (const auto& shared = model.adapters.front().shared)
    for (const auto& [key, own] :
         {std::pair{"base_model.vera_A", shared->first}, std::pair{"base_model.vera_B", shared->second}}) {
      const auto* given = stored.find(key);
      if (given == nullptr) continue;
      read.push_back(key);
      const auto value = nn::tensor_of(*given);
      if (value.sizes() != own.sizes())
        differences.misshaped.push_back({key, given->shape, own.sizes().vec()});
      else if (!value.to(at::kFloat).allclose(own, 1e-5, 1e-6))
        throw data_error(stored.name() + ": " + key +
                         " is not the matrix that the model draws from its key. Load it into a model "
                         "whose vera_options have the key and the widest extents of the one that wrote it.");
    }
  for (const auto& tensor_in_file : stored.tensors())
    if (std::find(read.begin(), read.end(), tensor_in_file.name) == read.end())
      differences.unexpected.push_back(tensor_in_file.name);
  if (!differences.empty()) throw nn::state_mismatch(stored.name(), std::move(differences));

  const torch::NoGradGuard no_gradient;
  for (auto& [from, into] : copies) into.copy_(from);
  return config;
}

}  // namespace fmsb::adapt
