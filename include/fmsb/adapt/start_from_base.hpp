#pragma once
#include "fmsb/nn/torch.hpp"  // torch::nn::Module

namespace fmsb::adapt {

/// An adapter whose start depends on the numbers of its base, as a copied norm does. It starts when it is
/// built; once other numbers have been loaded into the base it must start again.
struct starts_from_base {
  virtual void start_from_base() = 0;

 protected:
  ~starts_from_base() = default;
};

/// Starts all such adapters of a module again: after a base checkpoint was loaded into an adapted model.
inline void start_from_base(torch::nn::Module& module) {
  const torch::NoGradGuard no_gradient;
  for (const auto& part : module.modules())
    if (auto* adapter = dynamic_cast<starts_from_base*>(part.get())) adapter->start_from_base();
}

}  // namespace fmsb::adapt
