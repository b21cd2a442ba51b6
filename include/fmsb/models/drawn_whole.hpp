#pragma once
#include "fmsb/adapt/plan.hpp"             // none
#include "fmsb/adapt/start_from_base.hpp"  // start_from_base
#include "fmsb/nn/initialise.hpp"          // without_initialisation, draws_wanted
#include "fmsb/nn/torch.hpp"               // torch::NoGradGuard

#include <concepts>  // std::same_as
#include <optional>  // std::optional

namespace fmsb::models {

/// A whole model whose starting values are not those of its layers: it is built, then `draw()` writes them,
/// and adapters that start from their base start again.
///
/// @tparam Parts  the composite
template <class Parts, class Plan>
class drawn_whole : public Parts {
 public:
  void reset() override {
    const bool draws = nn::detail::draws_wanted;
    {
      std::optional<nn::without_initialisation> twice;  // an adapter draws in its own reset()
      if constexpr (std::same_as<Plan, adapt::none>) twice.emplace();
      Parts::reset();
    }
    if (!draws) return;
    const torch::NoGradGuard no_gradient;
    draw();
    // The whole is in no shared pointer yet, as its modules() would want.
    for (const auto& part : torch::nn::Module::children()) adapt::start_from_base(*part);
  }

 protected:
  /// Writes all starting values; no gradient is recorded.
  virtual void draw() = 0;
};

}  // namespace fmsb::models
