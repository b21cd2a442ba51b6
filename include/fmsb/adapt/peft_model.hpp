#pragma once
#include "fmsb/adapt/merge.hpp"         // has_blocks, has_children
#include "fmsb/adapt/peft_methods.hpp"  // peft_method, peft_tensor
#include "fmsb/core/error.hpp"          // usage_error

#include <algorithm>    // std::any_of
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <map>          // std::map
#include <optional>     // std::optional
#include <string>       // std::string
#include <tuple>        // std::tuple
#include <type_traits>  // std::type_identity
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

/// A typed model as peft would list it: which layer has which adapter.
namespace fmsb::adapt::detail {

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

}  // namespace fmsb::adapt::detail
