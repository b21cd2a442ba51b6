#pragma once
#include "fmsb/models/chronos_bolt.hpp"  // chronos_bolt
#include "fmsb/nn/state_dict.hpp"        // load_state, open_safetensors

#include "support/distance.hpp"  // distance

#include <algorithm>   // std::max
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string

/// The models of tests/parity/chronos_bolt and what chronos-forecasting computes with them.
namespace fmsb::test {

constexpr models::t5_config small_t5(index_t tokens, index_t width) {
  return {.vocabulary = tokens,
          .width = width,
          .feed_forward = 28,
          .key_width = 8,
          .heads = 3,
          .encoder_layers = 2,
          .decoder_layers = 2,
          .initializer_factor = 0.05};
}

inline constexpr models::chronos_bolt_config tiny_bolt{.t5 = small_t5(2, 20),
                                                       .context_length = 48,
                                                       .prediction_length = 12,
                                                       .patch = 8,
                                                       .stride = 8,
                                                       .quantiles = {.1, .25, .5, .75, .9}};
inline constexpr models::chronos_bolt_config overlapping_bolt{.t5 = small_t5(1, 8),
                                                              .context_length = 40,
                                                              .prediction_length = 12,
                                                              .patch = 8,
                                                              .stride = 4,
                                                              .reg_token = false,
                                                              .quantiles = {.1, .5, .9}};

inline std::filesystem::path bolt_fixtures() {
  return std::filesystem::path(FMSB_SOURCE_DIR) / "tests/parity/chronos_bolt";
}

/// A tensor of a fixture.
inline tensor bolt_fixture(const std::string& name, const std::string& file = "tiny/expected.safetensors") {
  return nn::tensor_of(data::open_safetensors(bolt_fixtures() / file).at(name));
}

/// The fixture's numbers, in eval mode.
inline nn::module<models::chronos_bolt<tiny_bolt>> small_bolt() {
  nn::module<models::chronos_bolt<tiny_bolt>> model;
  nn::load_state(model, bolt_fixtures() / "tiny/model.safetensors");
  model->eval();
  return model;
}

/// The same series by series, of which the worst counts: their scales differ.
inline double series_distance(const tensor& x, const tensor& y) {
  if (x.sizes() != y.sizes()) return 1e300;
  double worst = 0;
  for (index_t s = 0; s < y.size(0); ++s) worst = std::max(worst, distance(x[s], y[s]));
  return worst;
}

}  // namespace fmsb::test
