#pragma once
#include "fmsb/core/error.hpp"                        // usage_error
#include "fmsb/models/chronos/instance_norm.hpp"      // instance_norm
#include "fmsb/models/chronos/patches.hpp"            // in_patches
#include "fmsb/models/chronos/pinball.hpp"            // pinball
#include "fmsb/models/chronos/quantile_forecast.hpp"  // quantile_model: what a chronos_bolt is
#include "fmsb/models/chronos/residual_block.hpp"     // residual_block
#include "fmsb/models/chronos_bolt/config.hpp"        // chronos_bolt_config, chronos_bolt_tiny
#include "fmsb/models/drawn_whole.hpp"                // drawn_whole
#include "fmsb/models/t5/hidden_keys.hpp"             // hidden_keys
#include "fmsb/models/t5/stack.hpp"                   // t5_stack
#include "fmsb/nn/embedding.hpp"                      // embedding
#include "fmsb/nn/initialise.hpp"                     // draw_weight

#include <ATen/ops/full.h>  // at::full

#include <algorithm>  // std::min
#include <string>     // std::string, std::to_string

namespace fmsb::models {

namespace detail {

template <chronos_bolt_config C, class Plan>
using chronos_bolt_parts = nn::composite<
    typename Plan::template child<"shared", nn::embedding<C.t5.vocabulary, C.t5.width>>,
    nn::child<"input_patch_embedding",
              chronos::residual_block<2 * C.patch, C.t5.feed_forward, C.t5.width, C.t5.dropout,
                                      typename Plan::template under<"input_patch_embedding">>>,
    nn::child<"encoder", t5_stack<C.t5, typename Plan::template under<"encoder">, t5_side::encoder>>,
    nn::child<"decoder", t5_stack<C.t5, typename Plan::template under<"decoder">, t5_side::decoder>>,
    nn::child<
        "output_patch_embedding",
        chronos::residual_block<C.t5.width, C.t5.feed_forward,
                                static_cast<index_t>(C.quantiles.size()) * C.prediction_length, C.t5.dropout,
                                typename Plan::template under<"output_patch_embedding">>>>;

}  // namespace detail

/// Series that a chronos_bolt has read.
struct chronos_bolt_encoding {
  tensor tokens{};  ///< [series, patches, width], REG last
  tensor hidden{};  ///< what `detail::hidden_keys` adds for patches of gaps; may be undefined
  chronos::instance_norm<> scale{};  ///< of each series
};

/// Chronos-Bolt: a T5 that reads patches of a series instead of tokens and answers, from one token of its
/// decoder, with all quantiles of all steps at once.
///
/// Each series is standardised by its own mean and deviation, cut into patches from its end, and each patch,
/// its values and which of them are known, is embedded by a residual block. A token REG follows them. The
/// decoder's only token reads what the encoder made of them, and a second block maps it to quantiles.
///
/// Children and state dict have the names of the Python package's ChronosBoltModelForForecasting: `shared`,
/// `input_patch_embedding`, `encoder`, `decoder`, `output_patch_embedding`.
///
/// Source: amazon/chronos-bolt-*, chronos_bolt.py of the Python package chronos-forecasting; T5 by Raffel et
/// al., JMLR 21, 2020.
///
/// @tparam C     sizes and choices; `chronos_bolt_tiny` and its siblings
/// @tparam Plan  which adapters stand where (adapt/plan.hpp)
template <chronos_bolt_config C, class Plan = adapt::none>
class chronos_bolt : public drawn_whole<detail::chronos_bolt_parts<C, Plan>, Plan> {
  static_assert(
      detail::sound(C),
      "fmsb::models::chronos_bolt requires sizes of at least 1, a t5 whose vocabulary is 2 with REG "
      "and 1 without, and quantiles that rise between 0 and 1");

 public:
  using plan = Plan;
  using plain = chronos_bolt<C, typename Plan::merged>;
  static constexpr chronos_bolt_config config = C;
  static constexpr chronos::quantile_levels quantiles = C.quantiles;
  static constexpr index_t context_length = C.context_length, prediction_length = C.prediction_length;

  /// Reads the last `context_length` values.
  /// @param context  [series, T], NaN where there is a gap
  /// @throws usage_error for another shape
  chronos_bolt_encoding encode(const tensor& context) const {
    if (context.dim() != 2 || context.size(1) < 1)
      throw usage_error("fmsb::models::chronos_bolt was given a context of shape " +
                        nn::detail::shape_text(context) + "; it takes [series, T], at least one value.");
    const index_t kept = std::min(context.size(1), C.context_length);
    const auto past = context.narrow(1, context.size(1) - kept, kept);
    const auto scale = chronos::instance_norm<>::fit(past);
    const auto cut = chronos::in_patches(scale.apply(past), C.patch, C.stride);
    auto tokens = this->template at<"input_patch_embedding">().forward(at::cat({cut.values, cut.known}, 2));
    auto seen = cut.seen;
    if constexpr (C.reg_token) {
      tokens = at::cat({tokens, token(kReg, tokens.size(0), tokens)}, 1);
      seen = at::cat({seen, at::ones({seen.size(0), 1}, seen.options())}, 1);
    }
    const auto hidden = detail::hidden_keys(seen, tokens);
    return {this->template at<"encoder">().run_hiding(tokens, hidden), hidden, scale};
  }

  /// @param context  [series, T], NaN where there is a gap
  /// @return [series, quantiles, prediction_length] in the units of the context
  tensor forward(const tensor& context) const {
    const auto read = encode(context);
    return read.scale.invert(scaled(read));
  }

  /// The first steps of `forward`: what makes this a chronos::quantile_model.
  /// @param steps  from 1 to prediction_length
  tensor predict(const tensor& context, index_t steps) const {
    if (steps < 1 || steps > C.prediction_length)
      throw usage_error("fmsb::models::chronos_bolt::predict was asked for " + std::to_string(steps) +
                        " steps; one pass predicts 1 to " + std::to_string(C.prediction_length) +
                        ", chronos::forecast_quantiles any number.");
    return forward(context).narrow(2, 0, steps);
  }

  /// What the model is trained by: twice the pinball loss of the standardised target, its mean over the
  /// quantiles, its sum over the steps and its mean over the series. A gap counts as no loss.
  /// @param context  [series, T], NaN where there is a gap
  /// @param target   [series, steps], steps from 1 to prediction_length, the values that follow
  /// @throws usage_error for shapes that do not fit
  tensor loss(const tensor& context, const tensor& target) const {
    if (target.dim() != 2 || target.size(0) != context.size(0) || target.size(1) < 1 ||
        target.size(1) > C.prediction_length)
      throw usage_error("fmsb::models::chronos_bolt::loss was given a context of shape " +
                        nn::detail::shape_text(context) + " and a target of shape " +
                        nn::detail::shape_text(target) + "; a target is [series, steps], 1 to " +
                        std::to_string(C.prediction_length) + " steps of the same series.");
    const auto read = encode(context);
    const auto predicted = scaled(read).narrow(2, 0, target.size(1));
    return chronos::pinball(predicted, read.scale.apply(target), quantiles).mean(1).sum(1).mean();
  }

 protected:
  void draw() override {
    const double factor = C.t5.initializer_factor;
    nn::draw_weight(this->template at<"shared">(), factor);
    this->template at<"input_patch_embedding">().draw(factor);
    this->template at<"encoder">().draw();
    this->template at<"decoder">().draw();
    // The package takes the inputs of a patch for both blocks.
    this->template at<"output_patch_embedding">().draw(factor, 2 * C.patch);
  }

  std::string title() const override {
    return "chronos_bolt(context_length=" + std::to_string(C.context_length) +
           ", prediction_length=" + std::to_string(C.prediction_length) +
           ", patch=" + std::to_string(C.patch) + ", stride=" + std::to_string(C.stride) +
           ", reg_token=" + (C.reg_token ? "yes" : "no") +
           ", max_distance=" + std::to_string(C.t5.max_distance) +
           ", decoder_start=" + std::to_string(C.t5.decoder_start) + ")";
  }

 private:
  static constexpr index_t kReg = 1;

  /// One token of the table for each series, [series, 1, width].
  tensor token(index_t id, index_t series, const tensor& like) const {
    return this->template at<"shared">().forward(
        at::full({series, 1}, id, like.options().requires_grad(false).dtype(at::kLong)));
  }

  /// The quantiles of the standardised series, [series, quantiles, prediction_length].
  tensor scaled(const chronos_bolt_encoding& read) const {
    const auto& decoder = this->template at<"decoder">();
    const t5_block_inputs inputs{
        .bias = decoder.position_bias(1), .encoded = read.tokens, .hidden = read.hidden};
    const auto x = decoder.run(token(C.t5.decoder_start, read.tokens.size(0), read.tokens),
                               [&](index_t) { return inputs; });
    return this->template at<"output_patch_embedding">().forward(x).view(
        {-1, static_cast<index_t>(quantiles.size()), C.prediction_length});
  }
};

}  // namespace fmsb::models
