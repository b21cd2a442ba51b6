#pragma once
#include "fmsb/adapt/peft_checks.hpp"  // key_of, targets, require_targets, require_fields
#include "fmsb/adapt/peft_config.hpp"  // peft_config
#include "fmsb/adapt/peft_model.hpp"   // chosen, walk
#include "fmsb/core/error.hpp"         // data_error, usage_error
#include "fmsb/data/safetensors.hpp"   // open_safetensors
#include "fmsb/nn/module.hpp"          // module
#include "fmsb/nn/state_mismatch.hpp"  // state_mismatch
#include "fmsb/nn/tensor_file.hpp"     // tensor_of, write_tensors

#include <algorithm>   // std::find, std::none_of
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <utility>     // std::move, std::pair
#include <vector>      // std::vector

namespace fmsb::adapt {

struct peft_options {
  /// Which method to write or read where a model holds several, as peft keeps one a directory: "LORA".
  std::string method{};
  /// Fields that were read with another directory, or are to be written beside the model's own:
  /// base_model_name_or_path, task_type, what fmsb does not know. What the model decides is written over
  /// them.
  peft_config config{};
};

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
