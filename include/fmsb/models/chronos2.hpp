#pragma once
#include "fmsb/adapt/plan.hpp"                         // none
#include "fmsb/core/error.hpp"                         // usage_error
#include "fmsb/core/number_text.hpp"                   // number_text
#include "fmsb/models/chronos/instance_norm.hpp"       // instance_norm
#include "fmsb/models/chronos/patches.hpp"             // in_patches
#include "fmsb/models/chronos/pinball.hpp"             // pinball
#include "fmsb/models/chronos/quantile_forecast.hpp"   // quantile_model: what a chronos2 is
#include "fmsb/models/chronos/residual_block.hpp"      // residual_block
#include "fmsb/models/chronos/weighted_quantiles.hpp"  // weighted_quantiles, probability_masses
#include "fmsb/models/chronos2/config.hpp"             // chronos2_config, chronos2_base
#include "fmsb/models/chronos2/encoder.hpp"            // chronos2_encoder
#include "fmsb/models/drawn_whole.hpp"                 // drawn_whole
#include "fmsb/nn/embedding.hpp"                       // embedding

#include <ATen/ops/full.h>  // at::full

#include <algorithm>  // std::min
#include <limits>     // std::numeric_limits
#include <string>     // std::string, std::to_string
#include <vector>     // std::vector

namespace fmsb::models {

namespace detail {

template <chronos2_config C, class Plan>
using chronos2_parts = nn::composite<
    typename Plan::template child<"shared", nn::embedding<t5_parts_of<C>.vocabulary, C.width>>,
    nn::child<"input_patch_embedding",
              chronos::residual_block<3 * C.patch, C.feed_forward, C.width, C.dropout,
                                      typename Plan::template under<"input_patch_embedding">>>,
    nn::child<"encoder",
              chronos2_encoder<t5_parts_of<C>, C.rotary_base, typename Plan::template under<"encoder">>>,
    nn::child<
        "output_patch_embedding",
        chronos::residual_block<C.width, C.feed_forward, static_cast<index_t>(C.quantiles.size()) * C.patch,
                                C.dropout, typename Plan::template under<"output_patch_embedding">>>>;

}  // namespace detail

/// What a Chronos-2 may be told besides the past of its series.
struct chronos2_inputs {
  /// [batch] integers: series with one id are forecast together, as the channels of one task or as a target
  /// and its covariates. Undefined: each series is by itself.
  tensor groups = {};
  /// [batch, steps]: what is known of the future, NaN elsewhere. A series that is known all along is a
  /// covariate of the others of its group; one that is known nowhere is a target, or a covariate of the past.
  /// Undefined: nothing is known.
  tensor known = {};
};

/// Chronos-2 (Ansari et al., "Chronos-2: From Univariate to Universal Forecasting", arXiv 2510.15821, 2025):
/// an encoder over patches of the past, a token [REG] and patches of the future. Each block attends along the
/// time of a series, with rotated queries and keys, then across the series of a group, position by position,
/// then maps each token. What it makes of the patches of the future are quantiles of their values.
///
/// Children and state dict have the names of chronos-forecasting's Chronos2Model: `shared`,
/// `input_patch_embedding`, `encoder`, `output_patch_embedding`.
///
/// `reset()` draws that program's starting values with the configuration's `initializer_factor`. A
/// chronos::quantile_model.
///
/// @tparam C     sizes and choices; `chronos2_base`
/// @tparam Plan  which adapters stand where (adapt/plan.hpp)
template <chronos2_config C, class Plan = adapt::none>
class chronos2 : public drawn_whole<detail::chronos2_parts<C, Plan>, Plan> {
  static_assert(
      detail::sound(C),
      "fmsb::models::chronos2 requires sizes of at least 1, an even key_width, a dropout from 0 up to 1, "
      "and quantiles that rise between 0 and 1");
  using norm = chronos::instance_norm<chronos::squash::arcsinh>;

 public:
  using plan = Plan;
  using plain = chronos2<C, typename Plan::merged>;
  static constexpr chronos2_config config = C;
  static constexpr chronos::quantile_levels quantiles = C.quantiles;
  static constexpr index_t context_length = C.context_length;
  static constexpr index_t prediction_length = C.prediction_length();
  /// Levels whose quantiles a forecast goes on from beyond `prediction_length`.
  static constexpr chronos::quantile_levels path_levels{.1, .2, .3, .4, .5, .6, .7, .8, .9};

  /// Quantiles of the next steps.
  ///
  /// @param context  [batch, T] float, the past, NaN for a gap; the last `context_length` values are read
  /// @param steps    from 1 on; beyond `prediction_length` the model was not trained
  /// @return [batch, levels, steps], in the series' own units
  /// @throws usage_error for shapes that do not fit, or more known values than whole patches of the steps
  /// hold
  tensor predict(const tensor& context, index_t steps, const chronos2_inputs& inputs = {}) const {
    const auto read = reading_of(context, patches_of(steps), inputs);
    return read.scale.invert(levels_of(read, inputs)).narrow(2, 0, steps);
  }

  /// `predict(context, patch)`: each series by itself.
  /// @return [batch, levels, patch]
  tensor forward(const tensor& context) const { return predict(context, C.patch); }

  /// One forecast from those that went on from each of `path_levels`: quantiles of all their quantiles, each
  /// of which counts as the part of the distribution that it stands for.
  /// @param paths  [batch, path_levels, levels, steps]
  /// @return [batch, levels, steps]
  static tensor pooled(const tensor& paths) {
    const auto of_path = chronos::probability_masses(path_levels),
               of_level = chronos::probability_masses(quantiles);
    std::vector<double> weights;
    for (const double path : of_path)
      for (const double level : of_level) weights.push_back(path * level);
    return chronos::weighted_quantiles(paths.flatten(1, 2), weights, quantiles);
  }

  /// What the encoder makes of the patches of the past, of [REG] and of those of the future.
  /// @return [batch, ceil(T / patch) + 1 + ceil(steps / patch), width]; of patches without a value it has no
  /// meaning
  tensor encode(const tensor& context, index_t steps, const chronos2_inputs& inputs = {}) const {
    return encoded(reading_of(context, patches_of(steps), inputs), inputs);
  }

  /// Twice the pinball loss of the normalised values, summed over the levels, the mean over whole patches of
  /// steps and over the series. A step that is a gap in the target, or known, counts as zero.
  ///
  /// @param target  [batch, steps] float, NaN where nothing was observed
  /// @throws usage_error as predict, or for targets of another number of series
  tensor loss(const tensor& context, const tensor& target, const chronos2_inputs& inputs = {}) const {
    if (target.dim() != 2 || target.size(0) != context.size(0))
      throw usage_error("fmsb::models::chronos2::loss was given a context of shape " +
                        nn::detail::shape_text(context) + " and a target of shape " +
                        nn::detail::shape_text(target) + "; it takes [batch, T] and [batch, steps].");
    const auto read = reading_of(context, patches_of(target.size(1)), inputs);
    const auto predicted = levels_of(read, inputs);
    const auto wanted = padded(read.scale.apply(target).to(predicted.scalar_type()), predicted.size(2));
    const auto error = chronos::pinball(predicted, wanted, quantiles) * (1 - read.known).unsqueeze(1);
    return error.mean(-1).sum(-1).mean();
  }

 protected:
  void draw() override {
    nn::draw_weight(this->template at<"shared">(), C.initializer_factor);
    this->template at<"input_patch_embedding">().draw(C.initializer_factor);
    this->template at<"encoder">().draw();
    this->template at<"output_patch_embedding">().draw(C.initializer_factor);
  }

  std::string title() const override {
    return "chronos2(context_length=" + std::to_string(C.context_length) +
           ", patch=" + std::to_string(C.patch) + ", time_scale=" + std::to_string(C.time_scale) +
           ", levels=" + std::to_string(quantiles.size()) + " from " + number_text(quantiles[0]) + " to " +
           number_text(quantiles[quantiles.size() - 1]) + ")";
  }

 private:
  /// The row of the table that stands between past and future.
  static constexpr index_t kReg = 1;

  /// What the model makes of its inputs before the encoder.
  struct reading {
    norm scale{};
    index_t future = 0;  ///< patches
    tensor tokens{};     ///< [batch, past + 1 + future, width]
    tensor seen{};       ///< [batch, past + 1 + future] bool
    tensor known{};      ///< [batch, future * patch], 1 where the future is known
  };

  static index_t patches_of(index_t steps) {
    if (steps < 1)
      throw usage_error("fmsb::models::chronos2 was asked for " + std::to_string(steps) +
                        " steps; ask for at least 1.");
    return (steps + C.patch - 1) / C.patch;
  }

  reading reading_of(const tensor& context, index_t future, const chronos2_inputs& inputs) const {
    if (context.dim() != 2 || context.size(1) < 1 || !context.is_floating_point())
      throw usage_error("fmsb::models::chronos2 was given a context of shape " +
                        nn::detail::shape_text(context) + " and type " +
                        c10::toString(context.scalar_type()) +
                        "; it takes floating-point numbers [batch, T], NaN where there is a gap.");
    const index_t batch = context.size(0), steps = future * C.patch;
    const tensor& known = inputs.known;
    if (known.defined() && (known.dim() != 2 || known.size(0) != batch || known.size(1) > steps))
      throw usage_error("fmsb::models::chronos2 was given known values of shape " +
                        nn::detail::shape_text(known) + "; it takes [" + std::to_string(batch) + ", up to " +
                        std::to_string(steps) + "], NaN where nothing is known.");

    const index_t length = std::min(context.size(1), C.context_length);
    const auto recent = context.narrow(1, context.size(1) - length, length);
    const auto type = this->template at<"shared">().weight.scalar_type();
    reading read{.scale = norm::fit(recent), .future = future};
    const auto past = chronos::in_patches(read.scale.apply(recent).to(type), C.patch, C.patch);
    const auto unknown =
        at::full({batch, steps}, std::numeric_limits<double>::quiet_NaN(), past.values.options());
    const auto later = chronos::in_patches(
        known.defined() ? padded(read.scale.apply(known).to(type), steps) : unknown, C.patch, C.patch);
    read.known = later.known.reshape({batch, steps});
    const auto one = at::full({1, 1}, kReg, context.options().dtype(at::kLong));
    read.tokens =
        at::cat({embedded(past, -past.count() * C.patch),
                 this->template at<"shared">().forward(one).expand({batch, 1, C.width}), embedded(later, 0)},
                1);
    read.seen = at::cat({past.seen, at::ones({batch, 1 + future}, past.seen.options())}, 1);
    return read;
  }

  /// Tokens of patches, the first value of which is at a time.
  tensor embedded(const chronos::patches& x, index_t first) const {
    const auto time = at::arange(first, first + x.count() * C.patch, x.values.options().dtype(at::kDouble)) /
                      static_cast<double>(C.time_scale);
    return this->template at<"input_patch_embedding">().forward(
        at::cat({time.to(x.values.scalar_type()).view({1, x.count(), C.patch}).expand_as(x.values), x.values,
                 x.known},
                2));
  }

  tensor encoded(const reading& read, const chronos2_inputs& inputs) const {
    return this->template at<"encoder">().run(read.tokens, read.seen, inputs.groups);
  }

  /// Normalised quantiles, [batch, levels, future * patch].
  tensor levels_of(const reading& read, const chronos2_inputs& inputs) const {
    const auto x = encoded(read, inputs);
    return this->template at<"output_patch_embedding">()
        .forward(x.narrow(1, x.size(1) - read.future, read.future))
        .view({x.size(0), read.future, static_cast<index_t>(C.quantiles.size()), C.patch})
        .transpose(1, 2)
        .reshape({x.size(0), static_cast<index_t>(C.quantiles.size()), read.future * C.patch});
  }

  /// Gaps behind, up to so many steps.
  static tensor padded(const tensor& x, index_t steps) {
    return x.size(1) == steps
               ? x
               : at::constant_pad_nd(x, {0, steps - x.size(1)}, std::numeric_limits<double>::quiet_NaN());
  }
};

}  // namespace fmsb::models
