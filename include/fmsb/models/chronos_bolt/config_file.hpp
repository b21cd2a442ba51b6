#pragma once
#include "fmsb/core/error.hpp"             // data_error
#include "fmsb/models/bare_weights.hpp"    // load_bare_weights, built_for_loading
#include "fmsb/models/chronos_bolt.hpp"    // chronos_bolt, chronos_bolt_config
#include "fmsb/models/config_file.hpp"     // read_model_config, config_comparison
#include "fmsb/models/t5/config_file.hpp"  // compare_t5_stacks, t5_layers

#include <algorithm>    // std::ranges::copy
#include <array>        // std::array
#include <filesystem>   // std::filesystem::path
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

/// A Chronos-Bolt from a folder as Hugging Face's save_pretrained writes it: config.json and
/// model.safetensors.
namespace fmsb::models {

namespace detail {

inline constexpr std::array<std::string_view, 3> residual_block_layers{"hidden_layer", "output_layer",
                                                                       "residual_layer"};
inline constexpr auto chronos_bolt_layers = [] {
  std::array<std::string_view, t5_layers.size() + residual_block_layers.size()> all;
  std::ranges::copy(residual_block_layers, std::ranges::copy(t5_layers, all.begin()).out);
  return all;
}();

}  // namespace detail

/// Compares a config.json with the type that its numbers are to be loaded into, field by field: those of a
/// T5's stacks (see require_t5_config), and of "chronos_config"
///
/// | config.json | chronos_bolt_config |
/// |---|---|
/// | context_length, prediction_length | the same |
/// | input_patch_size, input_patch_stride | patch, stride |
/// | use_reg_token | reg_token |
/// | quantiles | quantiles |
///
/// Only use_reg_token may be missing, for false. Other fields do not change what loaded numbers mean, and may
/// be anything.
///
/// @param name  what the message calls the file
/// @throws data_error naming every field that differs, with both values; for a file without "chronos_config"
inline void require_chronos_bolt_config(const nlohmann::json& fields, const chronos_bolt_config& type,
                                        const std::string& name) {
  const auto own = fields.find("chronos_config");
  if (own == fields.end() || !own->is_object())
    throw data_error(name + " has no \"chronos_config\"; it does not describe a Chronos model.");
  if (!own->contains("input_patch_size"))
    throw data_error(name +
                     ": \"chronos_config\" has no \"input_patch_size\"; the model does not read patches, as "
                     "Chronos-Bolt does. Load it as a Chronos-T5.");
  detail::config_comparison compared(fields), inner(*own, "chronos_config.");
  detail::compare_t5_stacks(compared, fields, type.t5);
  inner.expect_given<index_t>("context_length", type.context_length);
  inner.expect_given<index_t>("prediction_length", type.prediction_length);
  inner.expect_given<index_t>("input_patch_size", type.patch);
  inner.expect_given<index_t>("input_patch_stride", type.stride);
  inner.expect_given<std::vector<double>>("quantiles", {type.quantiles.begin(), type.quantiles.end()});
  inner.expect<bool>("use_reg_token", type.reg_token, false);
  compared.add(inner);
  compared.require_equal(name, "a chronos_bolt");
}

/// Copies a Chronos-Bolt file's numbers into a model, adapted or not. What adapters add keeps its numbers;
/// those that start from their base start again.
/// @throws as nn::load_state
template <chronos_bolt_config C, class Plan>
void load_chronos_bolt_weights(nn::module<chronos_bolt<C, Plan>>& model, const data::safetensors_file& file) {
  detail::load_bare_weights(model, file,
                            {.weights = detail::chronos_bolt_layers,
                             .biases = detail::residual_block_layers,
                             .tables = std::span(detail::t5_table_names).first(3)});
}

/// The model of a folder: config.json is compared with the type, model.safetensors (or its index and shards)
/// read into it. The adapters of a plan begin as they do on any model.
///
///     auto model = models::load_chronos_bolt<models::chronos_bolt_tiny>("chronos-bolt-tiny");
///
/// @throws data_error for what the folder lacks, a field or a tensor that does not fit
template <chronos_bolt_config C, class Plan = adapt::none>
nn::module<chronos_bolt<C, Plan>> load_chronos_bolt(const std::filesystem::path& folder) {
  require_chronos_bolt_config(read_model_config(folder), C, (folder / "config.json").string());
  const auto file = data::open_safetensors(folder);
  auto model = detail::built_for_loading<chronos_bolt<C, Plan>>();
  load_chronos_bolt_weights(model, file);
  model->eval();
  return model;
}

}  // namespace fmsb::models
