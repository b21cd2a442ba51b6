#pragma once
#include "fmsb/adapt/plan.hpp"             // none
#include "fmsb/adapt/start_from_base.hpp"  // start_from_base
#include "fmsb/core/error.hpp"             // data_error
#include "fmsb/nn/initialise.hpp"          // without_initialisation
#include "fmsb/nn/module.hpp"              // module
#include "fmsb/nn/state_dict.hpp"          // load_state, open_safetensors

#include <algorithm>    // std::ranges::find
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v

/// The numbers of a pretrained model from a file that knows nothing of adapters, into a model that may have
/// them.
namespace fmsb::models::detail {

/// What a file of a model that nobody adapts holds, by the names of its layers.
struct bare_layers {
  std::span<const std::string_view> weights{};  ///< layers with a `weight`
  std::span<const std::string_view> biases{};   ///< layers with a `bias`
  std::span<const std::string_view> tables{};   ///< whole names of one shared table, the module's own first

  /// Whether a parameter is one of these, rather than an adapter's: no adapter adds a `weight` under a layer
  /// of its base, and only a layer without biases is given one.
  bool hold(std::string_view name) const {
    const auto ends_in = [&](std::string_view end, std::span<const std::string_view> layers) {
      if (!name.ends_with(end)) return false;
      auto layer = name.substr(0, name.size() - end.size());
      if (const auto dot = layer.rfind('.'); dot != layer.npos) layer.remove_prefix(dot + 1);
      return std::ranges::find(layers, layer) != layers.end();
    };
    return ends_in(".weight", weights) || ends_in(".bias", biases);
  }
};

/// Copies a file's numbers into a model, adapted or not. A shared table may stand in it under any or several
/// of its names, which must then hold the same. What adapters add keeps its numbers; those that start from
/// their base start again.
///
/// @throws data_error where the names of the table have different numbers, and as nn::load_state
template <class Model>
void load_bare_weights(nn::module<Model>& model, const data::safetensors_file& file,
                       const bare_layers& layers) {
  nn::load_options options;
  std::string kept;
  for (const auto name : layers.tables) {
    const auto* stored = file.find(name);
    if (stored == nullptr) continue;
    if (kept.empty()) {
      kept = name;
      continue;
    }
    options.ignore.emplace_back(name);
    if (stored->shape != file.at(kept).shape || !nn::detail::same_content(*stored, file.at(kept)))
      throw data_error(file.name() + ": " + kept + " and " + std::string(name) +
                       " are one table in a T5 with tied embeddings, but have different numbers in the "
                       "file. fmsb::models::t5 has no untied head.");
  }
  if (!kept.empty()) options.rename = {{kept, std::string(layers.tables.front())}};
  options.may_miss = [&layers](std::string_view name) { return !layers.hold(name); };
  nn::load_state(model, file, options);
  adapt::start_from_base(*model);
}

/// A model whose numbers will come from a file; only what adapters add is drawn.
template <class Model>
nn::module<Model> built_for_loading() {
  if constexpr (std::is_same_v<typename Model::plan, adapt::none>) {
    const nn::without_initialisation read_at_once;
    return nn::module<Model>();
  } else {
    return nn::module<Model>();
  }
}

}  // namespace fmsb::models::detail
