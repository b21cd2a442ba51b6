#pragma once
#include "fmsb/models/chronos2.hpp"  // chronos2
#include "fmsb/nn/state_dict.hpp"    // load_state, open_safetensors

#include "support/folder.hpp"      // temporary_folder
#include "support/one_thread.hpp"  // one_thread

#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

/// The model of tests/parity/chronos2/tiny and what chronos-forecasting computes with it.
namespace fmsb::test {

/// For the whole program: all its tensors are small.
inline const one_thread small_tensors;

inline constexpr models::chronos2_config tiny_chronos2_config{
    .width = 20,
    .feed_forward = 28,
    .key_width = 8,
    .heads = 3,
    .layers = 2,
    .rotary_base = 100,
    .context_length = 40,
    .patch = 4,
    .most_patches = 3,
    .time_scale = 64,
    .quantiles = {.05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95}};

/// The checkpoint of chronos-forecasting's tests.
inline constexpr models::chronos2_config dummy_chronos2_config{.width = 6,
                                                               .feed_forward = 8,
                                                               .key_width = 4,
                                                               .heads = 4,
                                                               .layers = 2,
                                                               .quantiles = models::chronos2_base.quantiles};

inline std::filesystem::path chronos2_fixtures() {
  return std::filesystem::path(FMSB_SOURCE_DIR) / "tests/parity/chronos2";
}

/// A tensor of a fixture.
inline tensor chronos2_fixture(const std::string& name,
                               const std::string& file = "tiny/expected.safetensors") {
  return nn::tensor_of(data::open_safetensors(chronos2_fixtures() / file).at(name));
}

/// The fixture's numbers, in eval mode.
inline nn::module<models::chronos2<tiny_chronos2_config>> tiny_chronos2() {
  nn::module<models::chronos2<tiny_chronos2_config>> model;
  nn::load_state(model, chronos2_fixtures() / "tiny/model.safetensors");
  model->eval();
  return model;
}

/// The largest difference within a series, relative to the series' largest number: of tensors [series, ...]
/// or of a number.
inline double chronos2_distance(const tensor& x, const tensor& y) {
  if (x.sizes() != y.sizes()) return 1e300;
  const auto rows = [](const tensor& z) {
    return z.reshape({z.dim() == 0 ? 1 : z.size(0), -1}).abs().amax(1);
  };
  return (rows(x - y) / rows(y).clamp_min(1e-30)).max().item<double>();
}

inline std::vector<double> doubles_of(const tensor& x) {
  const auto y = x.to(at::kDouble).contiguous();
  return {y.const_data_ptr<double>(), y.const_data_ptr<double>() + y.numel()};
}

}  // namespace fmsb::test
