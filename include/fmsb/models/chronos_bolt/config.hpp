#pragma once
#include "fmsb/models/chronos/quantile_levels.hpp"  // quantile_levels
#include "fmsb/models/t5/config.hpp"                // t5_config, chronos_t5

namespace fmsb::models {

/// The sizes and choices of a Chronos-Bolt; `config_file.hpp` says which field of a config.json each one is.
struct chronos_bolt_config {
  t5_config t5{.vocabulary = 2};   ///< of its encoder and decoder; see `tokens`
  index_t context_length = 2048;   ///< values of the past that the model reads at most
  index_t prediction_length = 64;  ///< steps ahead that one pass predicts
  index_t patch = 16;              ///< values of a patch
  index_t stride = 16;             ///< values from one patch's first to the next one's
  bool reg_token = true;           ///< whether a token that stands for the whole series follows the patches
  chronos::quantile_levels quantiles{.1, .2, .3, .4, .5, .6, .7, .8, .9};
  friend bool operator==(const chronos_bolt_config&, const chronos_bolt_config&) = default;

  /// What the table of tokens holds, hence `t5.vocabulary`: the decoder's first token, and REG.
  constexpr index_t tokens() const { return reg_token ? 2 : 1; }
};

namespace detail {

constexpr bool sound(const chronos_bolt_config& c) {
  return sound(c.t5) && c.t5.vocabulary == c.tokens() && c.context_length >= 1 && c.prediction_length >= 1 &&
         c.patch >= 1 && c.stride >= 1 && c.quantiles.sound();
}

/// Chronos-T5's shapes, with two tokens.
constexpr chronos_bolt_config chronos_bolt_of(t5_config c) {
  c.vocabulary = 2;
  return {.t5 = c};
}

}  // namespace detail

/// The sizes of Chronos-Bolt (amazon/chronos-bolt-*): 2,048 values of context in patches of 16, nine
/// quantiles of 64 steps, and Chronos-T5's shapes.
inline constexpr chronos_bolt_config chronos_bolt_tiny = detail::chronos_bolt_of(chronos_t5_tiny);
inline constexpr chronos_bolt_config chronos_bolt_mini = detail::chronos_bolt_of(chronos_t5_mini);
inline constexpr chronos_bolt_config chronos_bolt_small = detail::chronos_bolt_of(chronos_t5_small);
inline constexpr chronos_bolt_config chronos_bolt_base = detail::chronos_bolt_of(chronos_t5_base);

}  // namespace fmsb::models
