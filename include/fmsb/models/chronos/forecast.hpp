#pragma once
#include "fmsb/models/chronos/quantiles.hpp"  // quantiles, mean: what a forecast is summed up by
#include "fmsb/models/chronos/sampling.hpp"   // token_sampler
#include "fmsb/models/chronos/tokenizer.hpp"  // tokenizer, contexts

#include <algorithm>   // std::clamp
#include <concepts>    // std::convertible_to
#include <cstdint>     // std::uint64_t
#include <functional>  // std::function
#include <optional>    // std::optional
#include <span>        // std::span
#include <string>      // std::to_string
#include <vector>      // std::vector

namespace fmsb::chronos {

/// A sequence-to-sequence model of tokens: the context is encoded once, and what `start` returns gives the
/// logits of the next token of every sample path, step by step.
///
///     encode(ids [B, T], mask [B, T])    what start takes, [B, T, width]
///     start(encoded, mask, samples)      a decoding with step(tokens [B, samples]) -> logits [B, samples,
///     vocabulary]
template <class Model>
concept token_model = requires(const Model& m, const tensor& x, index_t n) {
  { m.encode(x, x) } -> std::convertible_to<tensor>;
  { m.start(x, x, n).step(x) } -> std::convertible_to<tensor>;
};

/// What is asked of a forecast; what is left out is as the model's configuration says.
struct forecast_options {
  std::optional<index_t> horizon{};  ///< steps ahead
  std::optional<index_t> samples{};  ///< sample paths a series
  std::optional<double> temperature{};
  std::optional<index_t> top_k{};
  std::optional<double> top_p{};
  std::uint64_t seed = 0;
  bool limit_prediction_length = false;  ///< refuse horizons beyond what the model was trained for
  index_t series_at_once = 0;            ///< 0: as many as keep the logits of a step in 16 MiB, at most 32
  std::function<void(std::size_t)>
      advanced{};  ///< called with the number of series that have just been finished
};

namespace detail {

struct forecast_plan {
  index_t horizon, samples, at_once;
  sampling_options sampling;

  forecast_plan(const config& c, const forecast_options& o)
      : horizon(o.horizon.value_or(c.prediction_length)),
        samples(o.samples.value_or(c.samples)),
        sampling{o.temperature.value_or(c.temperature), o.top_k.value_or(c.top_k),
                 o.top_p.value_or(c.top_p)} {
    if (horizon < 1 || samples < 1 || o.series_at_once < 0)
      throw usage_error("fmsb::chronos::forecast: a horizon of " + std::to_string(horizon) + " and " +
                        std::to_string(samples) + " samples were asked for; both are 1 at least.");
    if (o.limit_prediction_length && horizon > c.prediction_length)
      throw usage_error(
          "fmsb::chronos::forecast: the horizon " + std::to_string(horizon) +
          " lies beyond the model's prediction length, " + std::to_string(c.prediction_length) +
          ", where its quality may fall; turn off limit_prediction_length to go on from the medians.");
    constexpr index_t kLogits = (16 << 20) / static_cast<index_t>(sizeof(float));
    at_once =
        o.series_at_once > 0 ? o.series_at_once : std::clamp<index_t>(kLogits / (samples * c.tokens), 1, 32);
  }
};

/// One stretch of the horizon that the model sees as a whole: [series, samples, steps] tokens.
template <token_model Model>
tensor draw_paths(const Model& model, const config& c, const context_tokens& past,
                  const token_sampler& sampler, index_t samples, index_t steps, index_t first_series,
                  index_t first_step) {
  const index_t series = past.ids.size(0);
  auto decoding = model.start(model.encode(past.ids, past.mask), past.mask, samples);
  auto paths = at::empty({series, samples, steps}, at::TensorOptions().dtype(at::kLong));
  auto token = at::full({series, samples}, c.pad, at::TensorOptions().dtype(at::kLong));
  for (index_t step = 0; step < steps; ++step) {
    const tensor logits = decoding.step(token);
    if (logits.size(-1) != c.tokens)
      throw usage_error("fmsb::chronos::forecast: the model knows " + std::to_string(logits.size(-1)) +
                        " tokens, the tokenizer " + std::to_string(c.tokens) +
                        "; they do not belong together.");
    token = sampler.draw(logits, first_series, first_step + step);
    paths.select(2, step).copy_(token);
  }
  return paths;
}

}  // namespace detail

/// Sample paths of what follows each series.
///
/// Beyond the model's prediction length the forecast goes on from itself: the median over the samples (the
/// lower of the two middle ones) of each step is appended to the context, which is tokenized anew, as in the
/// Python package. The end of the sequence is never drawn. The paths of a series depend on the seed and on
/// the series' number in `series`, not on how many are worked on at once, nor on the number of threads
/// (beyond what rounding does to a model's logits).
///
/// @param model   in evaluation mode, on the CPU
/// @param series  the pasts; NaN is a gap
/// @return [series, samples, horizon] float
/// @throws usage_error for options that mean nothing, a model in training mode, and as tokenizer::encode
template <token_model Model>
tensor forecast(const Model& model, const tokenizer& tokens, contexts series,
                const forecast_options& options = {}) {
  const auto& c = tokens.configuration();
  const detail::forecast_plan plan(c, options);
  if constexpr (requires { model.is_training(); })
    if (model.is_training())
      throw usage_error(
          "fmsb::chronos::forecast: the model is in training mode, in which dropout would disturb the "
          "forecast; call its eval() first.");
  const token_sampler sampler(plan.sampling, options.seed, {c.eos});
  const auto count = static_cast<index_t>(series.size());
  auto out = at::empty({count, plan.samples, plan.horizon}, at::TensorOptions().dtype(at::kFloat));
  const c10::InferenceMode no_gradient;  // from here on: what is returned is an ordinary tensor
  for (index_t first = 0; first < count; first += plan.at_once) {
    const auto chunk = series.subspan(static_cast<std::size_t>(first),
                                      static_cast<std::size_t>(std::min(plan.at_once, count - first)));
    std::vector<std::vector<double>> extended;  // only beyond the prediction length
    std::vector<std::span<const double>> past(chunk.begin(), chunk.end());
    for (index_t done = 0; done < plan.horizon;) {
      const index_t steps = std::min(plan.horizon - done, c.prediction_length);
      const auto context = tokens.encode(past);
      const auto paths = detail::draw_paths(model, c, context, sampler, plan.samples, steps, first, done);
      const auto values = tokens.decode(paths, context.scale);
      out.narrow(0, first, values.size(0)).narrow(2, done, steps).copy_(values);
      done += steps;
      if (done == plan.horizon) break;
      if (extended.empty())
        for (const auto& values_of_series : past)
          extended.emplace_back(values_of_series.begin(), values_of_series.end());
      const auto medians = std::get<0>(values.median(1)).to(at::kDouble).contiguous();
      for (std::size_t i = 0; i < extended.size(); ++i) {
        const auto* const from = medians.template const_data_ptr<double>() + static_cast<index_t>(i) * steps;
        extended[i].insert(extended[i].end(), from, from + steps);
        past[i] = extended[i];
      }
    }
    if (options.advanced) options.advanced(chunk.size());
  }
  return out;
}

}  // namespace fmsb::chronos
