#pragma once
#include "fmsb/nn/state_dict.hpp"  // open_safetensors, tensor_of

#include "support/distance.hpp"  // distance

#include <filesystem>  // std::filesystem::path

#include "support/doctest.hpp"

namespace fmsb::test {

/// Checks each tensor "gradient.<name>" of a fixture against the gradient that the parameter of that name
/// has.
///
/// @return how many there were, for the caller to check
template <class Model>
int check_stored_gradients(const Model& model, const std::filesystem::path& fixture, double within) {
  const auto expected = data::open_safetensors(fixture);
  const auto parameters = model->named_parameters();
  int compared = 0;
  for (const auto& stored : expected.tensors()) {
    if (!stored.name.starts_with("gradient.")) continue;
    CAPTURE(stored.name);
    const auto* own = parameters.find(stored.name.substr(9));
    REQUIRE(own != nullptr);
    CHECK(distance(own->grad(), nn::tensor_of(stored)) < within);
    ++compared;
  }
  return compared;
}

}  // namespace fmsb::test
