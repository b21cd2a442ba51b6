#pragma once
#include "fmsb/core/extent.hpp"  // index_t

namespace fmsb::models {

/// The sizes and choices of a T5. The defaults are those of Hugging Face's T5Config; `config_file.hpp` says
/// which field of a config.json each one is.
struct t5_config {
  index_t vocabulary = 32128;     ///< tokens, rows of the shared table
  index_t width = 512;            ///< features of a token
  index_t feed_forward = 2048;    ///< features between wi and wo
  index_t key_width = 64;         ///< features of a head; heads * key_width need not be the width
  index_t heads = 8;              ///< of every attention
  index_t encoder_layers = 6;     ///< blocks of the encoder
  index_t decoder_layers = 6;     ///< blocks of the decoder
  index_t buckets = 32;           ///< distances that the position bias tells apart, both signs together
  index_t max_distance = 128;     ///< in tokens; all longer ones share the last bucket
  double dropout = 0.1;           ///< when training
  double epsilon = 1e-6;          ///< of the norms
  double initializer_factor = 1;  ///< on the deviations of the starting values, and the norms' start
  index_t pad = 0;                ///< what the decoder is given for a label that does not count
  index_t eos = 1;                ///< ends a sequence
  index_t decoder_start = 0;      ///< the decoder's first token
  friend bool operator==(const t5_config&, const t5_config&) = default;

  /// Features of all heads together.
  constexpr index_t inner() const { return heads * key_width; }
};

namespace detail {

constexpr bool sound(const t5_config& c) {
  return c.vocabulary >= 1 && c.width >= 1 && c.feed_forward >= 1 && c.key_width >= 1 && c.heads >= 1 &&
         c.encoder_layers >= 1 && c.decoder_layers >= 1 && c.buckets >= 4 && c.max_distance > c.buckets / 2 &&
         c.dropout >= 0 && c.dropout < 1 && c.epsilon >= 0 && c.pad >= 0 && c.pad < c.vocabulary &&
         c.decoder_start >= 0 && c.decoder_start < c.vocabulary;
}

/// What the sizes of Chronos-T5 have in common: 4,096 tokens, as many layers on either side.
constexpr t5_config chronos_t5(index_t width, index_t heads, index_t layers) {
  return {.vocabulary = 4096,
          .width = width,
          .feed_forward = 4 * width,
          .heads = heads,
          .encoder_layers = layers,
          .decoder_layers = layers,
          .initializer_factor = 0.05};
}

}  // namespace detail

/// The sizes of Chronos-T5 (Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024,
/// section 5.2; amazon/chronos-t5-*): T5's own shapes over 4,096 tokens.
inline constexpr t5_config chronos_t5_tiny = detail::chronos_t5(256, 4, 4);
inline constexpr t5_config chronos_t5_mini = detail::chronos_t5(384, 8, 4);
inline constexpr t5_config chronos_t5_small = detail::chronos_t5(512, 8, 6);
inline constexpr t5_config chronos_t5_base = detail::chronos_t5(768, 12, 12);
inline constexpr t5_config chronos_t5_large = detail::chronos_t5(1024, 16, 24);

}  // namespace fmsb::models
