#pragma once
#include "fmsb/adapt/adapted.hpp"          // plain_of
#include "fmsb/adapt/start_from_base.hpp"  // start_from_base
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/nn/module.hpp"              // module

namespace fmsb::adapt {

/// The adapted module on the numbers of a plain one: what is frozen is shared with the base, not copied, so
/// that many adapters may stand on one base; what trains is copied. The adapters' own numbers start as they
/// are drawn.
///
/// @tparam Adapted  the model with its plan
/// @throws usage_error where the base lacks a parameter or buffer, or has another shape: the models differ by
///         more than their adapters
template <nn::layer_type Adapted>
nn::module<Adapted> attach(const nn::module<nn::plain_of<Adapted>>& base) {
  nn::module<Adapted> adapted;
  const torch::NoGradGuard no_gradient;
  const auto take = [&](const auto& own, const auto& given) {
    for (const auto& item : given) {
      auto* place = own.find(item.key());
      if (place == nullptr || place->sizes() != item->sizes())
        throw usage_error("fmsb::adapt::attach: \"" + item.key() + "\" of the base has the shape " +
                          nn::detail::shape_text(*item) + ", " +
                          (place == nullptr
                               ? "but the adapted model does not have it."
                               : "in the adapted model " + nn::detail::shape_text(*place) + "."));
      place->set_data(place->requires_grad() ? item->detach().clone() : item->detach());
    }
  };
  take(adapted->named_parameters(), base->named_parameters());
  take(adapted->named_buffers(), base->named_buffers());
  adapted->train(base->is_training());
  start_from_base(*adapted);
  return adapted;
}

}  // namespace fmsb::adapt
