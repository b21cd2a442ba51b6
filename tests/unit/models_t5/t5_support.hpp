#pragma once
#include "fmsb/models/t5.hpp"      // t5
#include "fmsb/nn/state_dict.hpp"  // load_state, open_safetensors

#include "support/distance.hpp"  // distance
#include "support/folder.hpp"    // temporary_folder

#include <filesystem>  // std::filesystem::path
#include <string>      // std::string

/// The model of tests/parity/t5/tiny and what transformers computes with it.
namespace fmsb::test {

inline constexpr models::t5_config tiny{.vocabulary = 40,
                                        .width = 20,
                                        .feed_forward = 28,
                                        .key_width = 8,
                                        .heads = 3,
                                        .encoder_layers = 2,
                                        .decoder_layers = 2,
                                        .initializer_factor = 0.05};

inline std::filesystem::path t5_fixtures() {
  return std::filesystem::path(FMSB_SOURCE_DIR) / "tests/parity/t5";
}

/// A tensor of a fixture.
inline tensor t5_fixture(const std::string& name, const std::string& file = "tiny/expected.safetensors") {
  return nn::tensor_of(data::open_safetensors(t5_fixtures() / file).at(name));
}

/// The fixture's numbers, in eval mode.
inline nn::module<models::t5<tiny>> tiny_t5() {
  nn::module<models::t5<tiny>> model;
  nn::load_state(model, t5_fixtures() / "tiny/model.safetensors");
  model->eval();
  return model;
}

}  // namespace fmsb::test
