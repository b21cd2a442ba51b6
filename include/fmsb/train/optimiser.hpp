#pragma once
#include "fmsb/nn/torch.hpp"  // tensor

#include <torch/optim/adamw.h>  // torch::optim::AdamW
#include <torch/optim/sgd.h>    // torch::optim::SGD

#include <memory>   // std::unique_ptr
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::train {

/// SGD with Nesterov's momentum of 0.9, or AdamW with LibTorch's betas.
enum class optimiser { sgd, adam_w };

constexpr const char* name_of(optimiser o) { return o == optimiser::sgd ? "sgd" : "adam_w"; }

/// Parameters that share a rate.
struct rate_group {
  std::vector<tensor> parameters;
  double rate = 0;
};

/// An optimiser over groups of parameters, each with its rate.
inline std::unique_ptr<torch::optim::Optimizer> make_optimiser(optimiser which, double weight_decay,
                                                               std::vector<rate_group> groups) {
  const auto options_at = [&](double rate) -> std::unique_ptr<torch::optim::OptimizerOptions> {
    if (which == optimiser::adam_w)
      return std::make_unique<torch::optim::AdamWOptions>(
          torch::optim::AdamWOptions(rate).weight_decay(weight_decay));
    return std::make_unique<torch::optim::SGDOptions>(
        torch::optim::SGDOptions(rate).momentum(0.9).nesterov(true).weight_decay(weight_decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> all;
  for (auto& group : groups) all.emplace_back(std::move(group.parameters), options_at(group.rate));
  if (which == optimiser::adam_w) return std::make_unique<torch::optim::AdamW>(std::move(all));
  return std::make_unique<torch::optim::SGD>(std::move(all),
                                             torch::optim::SGDOptions(groups.empty() ? 0 : groups[0].rate));
}

}  // namespace fmsb::train
