#pragma once
#include "fmsb/core/error.hpp"               // usage_error
#include "fmsb/core/fingerprint.hpp"         // hash_of, hash_text
#include "fmsb/core/number_text.hpp"         // number_text
#include "fmsb/nn/tensor_file.hpp"           // named_tensor
#include "fmsb/train/checkpoint_reader.hpp"  // checkpoint_reader

#include <torch/optim/adamw.h>  // torch::optim::AdamW
#include <torch/optim/sgd.h>    // torch::optim::SGD

#include <cstdint>        // std::int64_t
#include <memory>         // std::unique_ptr
#include <string>         // std::string
#include <tuple>          // std::get
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::pair, std::move
#include <vector>         // std::vector

/// What an optimiser of LibTorch holds, under the model's names. LibTorch's own files count parameters
/// instead of naming them, and compare no shapes.
namespace fmsb::train::detail {

/// The optimiser's parameters, group after group, under the model's names.
/// @throws usage_error if one is not the model's, or if the optimiser misses one that trains
inline std::vector<nn::named_tensor> optimised_parameters(const torch::nn::Module& model,
                                                          const torch::optim::Optimizer& optimiser) {
  std::unordered_map<const void*, std::string> names;  // a tied tensor answers to its first name
  const auto registered = model.named_parameters();
  for (const auto& item : registered) names.try_emplace(item.value().unsafeGetTensorImpl(), item.key());
  std::unordered_map<const void*, bool> held;
  std::vector<nn::named_tensor> found;
  for (const auto& group : optimiser.param_groups())
    for (const auto& p : group.params()) {
      const auto name = names.find(p.unsafeGetTensorImpl());
      if (name == names.end())
        throw usage_error(
            "fmsb::train::fit: the optimiser holds a parameter of shape " + nn::detail::shape_text(p) +
            " that is not one of the model's. Make the optimiser from the parameters of the model that "
            "is trained; a clone has its own.");
      held[p.unsafeGetTensorImpl()] = true;
      found.push_back({name->second, p});
    }
  for (const auto& item : registered)
    if (item->requires_grad() && !held.contains(item.value().unsafeGetTensorImpl()))
      throw usage_error(
          "fmsb::train::fit: \"" + item.key() +
          "\" takes gradients, but the optimiser does not hold it. Put it into a parameter group, or "
          "freeze it by requires_grad_(false).");
  return found;
}

inline std::string options_text(const torch::optim::OptimizerOptions& of) {
  const auto is_on = [](const char* name, bool on) { return on ? std::string(", ") + name : std::string(); };
  if (const auto* adam = dynamic_cast<const torch::optim::AdamWOptions*>(&of))
    return "adam_w(rate=" + number_text(adam->lr()) + ", betas=" + number_text(std::get<0>(adam->betas())) +
           "+" + number_text(std::get<1>(adam->betas())) + ", eps=" + number_text(adam->eps()) +
           ", weight_decay=" + number_text(adam->weight_decay()) + is_on("amsgrad", adam->amsgrad()) + ")";
  if (const auto* sgd = dynamic_cast<const torch::optim::SGDOptions*>(&of))
    return "sgd(rate=" + number_text(sgd->lr()) + ", momentum=" + number_text(sgd->momentum()) +
           ", dampening=" + number_text(sgd->dampening()) +
           ", weight_decay=" + number_text(sgd->weight_decay()) + is_on("nesterov", sgd->nesterov()) + ")";
  throw usage_error(
      "fmsb::train::fit keeps the state of torch::optim::AdamW and torch::optim::SGD in checkpoints. "
      "Train with one of them, or without a checkpoint file.");
}

/// Each group's kind, numbers and parameters, the latter as a hash of their names.
/// @param parameters  `optimised_parameters`
inline std::string optimiser_text(const torch::optim::Optimizer& optimiser,
                                  const std::vector<nn::named_tensor>& parameters) {
  std::string text;
  std::size_t next = 0;
  for (const auto& group : optimiser.param_groups()) {
    std::string names;
    for (std::size_t i = 0; i < group.params().size(); ++i) names += parameters[next++].name + "\n";
    text += (text.empty() ? "" : " + ") + options_text(group.options()) + " of " +
            std::to_string(group.params().size()) + " tensors " + hash_text(hash_of(names));
  }
  return text;
}

inline std::string state_name(const char* part, const std::string& parameter) {
  return std::string("optimiser.") + part + "." + parameter;
}

/// The tensors of the optimiser's state, ready to be written.
inline std::vector<nn::named_tensor> optimiser_tensors(const torch::optim::Optimizer& optimiser,
                                                       const std::vector<nn::named_tensor>& parameters) {
  std::vector<nn::named_tensor> out;
  for (const auto& [name, p] : parameters) {
    const auto found = optimiser.state().find(p.unsafeGetTensorImpl());
    if (found == optimiser.state().end()) continue;  // it has had no gradient yet
    const auto put = [&, &parameter = name](const char* part, const tensor& x) {
      if (x.defined()) out.push_back({state_name(part, parameter), x});
    };
    if (const auto* adam = dynamic_cast<const torch::optim::AdamWParamState*>(found->second.get())) {
      put("step", at::empty({}, at::kLong).fill_(adam->step()));
      put("exp_avg", adam->exp_avg());
      put("exp_avg_sq", adam->exp_avg_sq());
      put("max_exp_avg_sq", adam->max_exp_avg_sq());
    } else if (const auto* sgd = dynamic_cast<const torch::optim::SGDParamState*>(found->second.get())) {
      put("momentum_buffer", sgd->momentum_buffer());
    }
  }
  return out;
}

using parameter_state = std::pair<void*, std::unique_ptr<torch::optim::OptimizerParamState>>;

/// The state that `optimiser_tensors` wrote, for the same groups.
inline std::vector<parameter_state> read_optimiser(checkpoint_reader& file,
                                                   const torch::optim::Optimizer& optimiser,
                                                   const std::vector<nn::named_tensor>& parameters) {
  std::vector<parameter_state> out;
  std::size_t next = 0;
  for (const auto& group : optimiser.param_groups()) {
    const bool adam = dynamic_cast<const torch::optim::AdamWOptions*>(&group.options()) != nullptr;
    for (const auto& p : group.params()) {
      const auto& name = parameters[next++].name;
      if (adam && file.has(state_name("step", name))) {
        auto state = std::make_unique<torch::optim::AdamWParamState>();
        state->step(file.take(state_name("step", name), at::empty({}, at::kLong)).item<std::int64_t>());
        state->exp_avg(file.take(state_name("exp_avg", name), p));
        state->exp_avg_sq(file.take(state_name("exp_avg_sq", name), p));
        if (file.has(state_name("max_exp_avg_sq", name)))
          state->max_exp_avg_sq(file.take(state_name("max_exp_avg_sq", name), p));
        out.emplace_back(p.unsafeGetTensorImpl(), std::move(state));
      } else if (!adam && file.has(state_name("momentum_buffer", name))) {
        auto state = std::make_unique<torch::optim::SGDParamState>();
        state->momentum_buffer(file.take(state_name("momentum_buffer", name), p));
        out.emplace_back(p.unsafeGetTensorImpl(), std::move(state));
      }
    }
  }
  return out;
}

}  // namespace fmsb::train::detail
