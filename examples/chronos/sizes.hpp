#pragma once
#include "fmsb/models/chronos/config.hpp"  // config
#include "fmsb/models/t5/config.hpp"       // t5_config

#include <array>  // std::array

namespace driver {

/// A size that the program is compiled for: what a folder's config.json is compared with.
struct model_size {
  const char* name;
  fmsb::models::t5_config type;
  double limit;        ///< centre of the highest bin, in multiples of a series' scale
  double rate;         ///< that it learns with from nothing
  double step_factor;  ///< on the learning rates of adapters whose numbers weigh more in narrow layers
};

/// A quarter of the tokens and a fifth of the width of tiny: it learns on two cores in a minute or two. Its
/// bins end at 5 scales rather than 15, so that they are as narrow as in the larger sizes with a quarter of
/// them.
inline constexpr model_size nano{.name = "nano",
                                 .type = {.vocabulary = 1024,
                                          .width = 64,
                                          .feed_forward = 256,
                                          .key_width = 16,
                                          .heads = 4,
                                          .encoder_layers = 2,
                                          .decoder_layers = 2,
                                          .initializer_factor = 0.05},
                                 .limit = 5,
                                 .rate = 3e-3,
                                 .step_factor = 0.25};
inline constexpr model_size tiny{
    .name = "tiny", .type = fmsb::models::chronos_t5_tiny, .limit = 15, .rate = 3e-4, .step_factor = 1};

inline constexpr std::array sizes{nano, tiny};

/// The tokenizer of a model of this size that is trained for such windows.
inline fmsb::chronos::config tokens_of(const model_size& size, fmsb::index_t context, fmsb::index_t horizon) {
  return {.low_limit = -size.limit,
          .high_limit = size.limit,
          .tokens = size.type.vocabulary,
          .pad = size.type.pad,
          .eos = size.type.eos,
          .context_length = context,
          .prediction_length = horizon};
}

}  // namespace driver
