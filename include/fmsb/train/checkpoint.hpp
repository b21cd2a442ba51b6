#pragma once
#include "fmsb/core/elementary.hpp"          // not_a_number
#include "fmsb/core/error.hpp"               // data_error
#include "fmsb/core/fingerprint.hpp"         // hash_text
#include "fmsb/nn/module_fingerprint.hpp"    // module_fingerprint, require_loadable
#include "fmsb/nn/tensor_file.hpp"           // named_tensor, write_tensors
#include "fmsb/report/json.hpp"              // json
#include "fmsb/train/checkpoint_reader.hpp"  // checkpoint_reader
#include "fmsb/train/history.hpp"            // history
#include "fmsb/train/optimiser_state.hpp"    // optimiser_tensors, read_optimiser
#include "fmsb/train/sampler.hpp"            // sampler_state

#include <cstddef>        // std::size_t
#include <cstdint>        // std::uint64_t
#include <cstring>        // std::memcpy
#include <filesystem>     // std::filesystem::path
#include <string>         // std::string
#include <unordered_set>  // std::unordered_set
#include <utility>        // std::move
#include <vector>         // std::vector

/// The state of a training as one safetensors file: what trains, buffers, the best of both, the optimiser,
/// LibTorch's CPU generator, the sampler, counters, and the fingerprints of model and options.
namespace fmsb::train::detail {

/// What training may change: parameters that take gradients, and buffers. A tied tensor stands once.
inline std::vector<nn::named_tensor> moving_tensors(const torch::nn::Module& model) {
  std::vector<nn::named_tensor> out;
  std::unordered_set<const void*> seen;
  const auto add = [&](const std::string& name, const tensor& x) {
    if (x.defined() && seen.insert(x.unsafeGetTensorImpl()).second) out.push_back({name, x});
  };
  for (const auto& item : model.named_parameters())
    if (item->requires_grad()) add(item.key(), *item);
  for (const auto& item : model.named_buffers()) add(item.key(), *item);
  return out;
}

/// One number for all that is frozen, so that a run is not resumed on another base: FNV-1a, eight bytes at a
/// time.
inline std::uint64_t hash_of_frozen(const torch::nn::Module& model) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& item : model.named_parameters()) {
    if (item->requires_grad()) continue;
    const auto x = item->detach().cpu().contiguous();
    const auto* at = static_cast<const char*>(x.const_data_ptr());
    for (std::size_t left = x.nbytes(); left > 0;) {
      const std::size_t count = left < 8 ? left : 8;
      std::uint64_t word = 0;
      std::memcpy(&word, at, count);
      hash = (hash ^ word) * 0x100000001b3u;
      hash ^= hash >> 32;  // the product moves bits upwards only
      at += count;
      left -= count;
    }
  }
  return hash;
}

/// A training between two steps. The tensors are handles: writing reads them, reading replaces their numbers.
struct checkpoint {
  nn::module_fingerprint model{};
  std::string options{};                   ///< all that the weights follow from, as far as a text can tell
  std::uint64_t frozen = 0;                ///< hash_of_frozen
  std::vector<nn::named_tensor> moving{};  ///< moving_tensors
  std::vector<tensor> best{};              ///< their numbers at the best validation; empty before the first
  std::vector<nn::named_tensor> kept{};    ///< what else the caller wants to have back
  history past{};
  std::uint64_t stale = 0;  ///< validations since the best one
  sampler_state sampler{};
};

inline constexpr const char* kModelKey = "fmsb_fingerprint";
inline constexpr const char* kOptionsKey = "fmsb_training_options";
inline constexpr const char* kStandingKey = "fmsb_training";

/// Replaces the file as a whole or not at all. @throws as nn::write_tensors
inline void write_checkpoint(const std::filesystem::path& path, const checkpoint& of,
                             const torch::optim::Optimizer& optimiser,
                             const std::vector<nn::named_tensor>& parameters) {
  auto tensors = optimiser_tensors(optimiser, parameters);
  for (std::size_t i = 0; i < of.moving.size(); ++i) {
    tensors.push_back({"model." + of.moving[i].name, of.moving[i].value});
    if (!of.best.empty()) tensors.push_back({"best." + of.moving[i].name, of.best[i]});
  }
  for (const auto& [name, value] : of.kept) tensors.push_back({"kept." + name, value});
  tensors.push_back({"generator", at::globalContext().defaultGenerator(at::kCPU).get_state()});
  if (!of.past.losses.empty()) tensors.push_back({"losses", nn::vector_view(of.past.losses)});

  auto past = to_json(of.past);
  past.erase("losses");
  const report::json standing{{"format", 1},
                              {"frozen", hash_text(of.frozen)},
                              {"stale", of.stale},
                              {"sampler", of.sampler},
                              {"history", std::move(past)}};
  nn::write_tensors(path, tensors,
                    {{"format", "pt"},
                     {kModelKey, of.model.text()},
                     {kOptionsKey, of.options},
                     {kStandingKey, standing.dump()}});
}

/// The counters of a file, as `to_json(history)` wrote them.
inline history history_of(const report::json& past) {
  history out;
  const auto score_of = [](const report::json& v) {  // null stands for a score that was not finite
    return validation_score{v.at("step").get<std::uint64_t>(),
                            v.at("score").is_null() ? elementary::not_a_number : v.at("score").get<double>()};
  };
  out.steps = past.at("steps").get<std::uint64_t>();
  out.batches = past.at("batches").get<std::uint64_t>();
  out.skipped = past.at("skipped").get<std::uint64_t>();
  out.seconds = past.at("seconds").get<double>();
  for (const auto& v : past.at("validations")) out.validations.push_back(score_of(v));
  if (past.contains("best")) out.best = score_of(past.at("best"));
  const auto stopped = past.at("stopped").get<std::string>();
  for (const stop end : {stop::finished, stop::no_improvement})
    if (stopped == name_of(end)) out.stopped = end;
  return out;
}

/// Requires a file to be of the same model and options, each with both fingerprints in the message.
inline void require_same_training(const checkpoint_reader& file, const checkpoint& now) {
  const auto& model = file.text(kModelKey);
  try {
    nn::require_loadable(model, now.model);
  } catch (const data_error& problem) { file.fail(std::string("cannot be resumed from. ") + problem.what()); }
  if (const auto& options = file.text(kOptionsKey); options != now.options)
    file.fail("was written by a training with other options: it says \"" + options + "\", this one is \"" +
              now.options + "\". Train with the file's options, name another file, or remove this one");
}

/// Brings model, optimiser, generator and `now` back to where the file was written. Everything is compared
/// before the first number is replaced.
/// @throws data_error if the file is damaged, or was written by another model, with other options or on
/// another base
inline void read_checkpoint(const std::filesystem::path& path, checkpoint& now,
                            torch::optim::Optimizer& optimiser,
                            const std::vector<nn::named_tensor>& parameters) {
  checkpoint_reader file(path);
  require_same_training(file, now);
  std::uint64_t stale = 0;
  sampler_state sampler;
  history past;
  try {
    const auto standing = report::json::parse(file.text(kStandingKey));
    if (standing.at("format") != 1) file.fail("has a format that this program does not know");
    if (const auto frozen = standing.at("frozen").get<std::string>(); frozen != hash_text(now.frozen))
      file.fail("was trained on other frozen parameters: their hash was " + frozen + " and is " +
                hash_text(now.frozen) + "; resume on the model that the run began with");
    stale = standing.at("stale").get<std::uint64_t>();
    sampler = standing.at("sampler").get<sampler_state>();
    past = history_of(standing.at("history"));
  } catch (const report::json::exception& problem) {
    file.fail(std::string("cannot be understood: ") + problem.what());
  }

  std::vector<tensor> best;
  for (const auto& [name, target] : now.moving) {
    file.stage("model." + name, target);
    if (file.has("best." + name)) best.push_back(file.take("best." + name, target));
  }
  if (!best.empty() && best.size() != now.moving.size()) file.fail("holds only a part of the best numbers");
  for (const auto& [name, target] : now.kept) file.stage("kept." + name, target);
  auto states = read_optimiser(file, optimiser, parameters);
  const auto generator = file.take("generator");
  if (past.steps > 0) {
    const auto losses = file.take("losses", at::empty({static_cast<index_t>(past.steps)}, at::kDouble));
    const auto values = nn::values_of(losses);
    past.losses.assign(values.begin(), values.end());
  }
  file.require_all_taken();

  file.commit();
  optimiser.state().clear();
  for (auto& [parameter, state] : states) optimiser.state()[parameter] = std::move(state);
  auto cpu = at::globalContext().defaultGenerator(at::kCPU);
  cpu.set_state(generator);
  now.best = std::move(best);
  now.past = std::move(past);
  now.stale = stale;
  now.sampler = std::move(sampler);
}

}  // namespace fmsb::train::detail
