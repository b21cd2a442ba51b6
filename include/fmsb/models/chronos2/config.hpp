#pragma once
#include "fmsb/core/extent.hpp"                     // index_t
#include "fmsb/models/chronos/quantile_levels.hpp"  // quantile_levels
#include "fmsb/models/t5/config.hpp"                // t5_config

namespace fmsb::models {

/// The sizes and choices of a Chronos-2. The defaults are those of its program and, where that has none, of
/// the released model; chronos2/config_file.hpp says which field of a config.json each one is.
struct chronos2_config {
  index_t width = 512;                 ///< features of a token
  index_t feed_forward = 2048;         ///< features between wi and wo, and within the patch embeddings
  index_t key_width = 64;              ///< features of a head, even; heads * key_width need not be the width
  index_t heads = 8;                   ///< of every attention
  index_t layers = 6;                  ///< blocks of the encoder
  double dropout = 0.1;                ///< when training
  double epsilon = 1e-6;               ///< of the norms
  double initializer_factor = 0.05;    ///< on the deviations of the starting values, and the norms' start
  double rotary_base = 10000;          ///< of the rotation by position
  index_t context_length = 8192;       ///< values of the past that are read at most
  index_t patch = 16;                  ///< values of a token, past and future
  index_t most_patches = 64;           ///< of the future, that one pass is trained to predict
  index_t time_scale = 8192;           ///< distance in time, in steps, that is encoded as 1
  chronos::quantile_levels quantiles;  ///< the levels that are predicted, rising
  friend bool operator==(const chronos2_config&, const chronos2_config&) = default;

  /// Features of all heads together.
  constexpr index_t inner() const { return heads * key_width; }
  /// Steps ahead that one pass is trained to predict.
  constexpr index_t prediction_length() const { return patch * most_patches; }
};

/// The released Chronos-2 (Ansari et al., "Chronos-2: From Univariate to Universal Forecasting", arXiv
/// 2510.15821, 2025; amazon/chronos-2).
inline constexpr chronos2_config chronos2_base{
    .width = 768, .feed_forward = 3072, .heads = 12, .layers = 12, .quantiles = {.01, .05, .1, .15, .2, .25,
                                                                                 .3,  .35, .4, .45, .5, .55,
                                                                                 .6,  .65, .7, .75, .8, .85,
                                                                                 .9,  .95, .99}};

namespace detail {

constexpr bool sound(const chronos2_config& c) {
  return c.width >= 1 && c.feed_forward >= 1 && c.key_width >= 2 && c.key_width % 2 == 0 && c.heads >= 1 &&
         c.layers >= 1 && c.dropout >= 0 && c.dropout < 1 && c.epsilon >= 0 && c.context_length >= 1 &&
         c.patch >= 1 && c.most_patches >= 1 && c.time_scale >= 1 && c.quantiles.sound();
}

/// The sizes of the parts that Chronos-2 shares with T5: norms, attention and feed-forward layers. The table
/// holds the tokens [PAD], which is not used, and [REG].
template <chronos2_config C>
inline constexpr t5_config t5_parts_of = {.vocabulary = 2,
                                          .width = C.width,
                                          .feed_forward = C.feed_forward,
                                          .key_width = C.key_width,
                                          .heads = C.heads,
                                          .encoder_layers = C.layers,
                                          .dropout = C.dropout,
                                          .epsilon = C.epsilon,
                                          .initializer_factor = C.initializer_factor};

}  // namespace detail

}  // namespace fmsb::models
