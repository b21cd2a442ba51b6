#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/models/chronos/context_rows.hpp"  // contexts, context_rows
#include "fmsb/models/chronos/quantiles_at.hpp"  // quantiles_at
#include "fmsb/nn/tensor.hpp"                    // tensor

#include <ATen/ops/quantile.h>  // at::quantile
#include <ATen/ops/tensor.h>    // at::tensor

#include <algorithm>   // std::clamp, std::max, std::min
#include <concepts>    // std::convertible_to
#include <cstddef>     // std::size_t
#include <functional>  // std::function
#include <optional>    // std::optional
#include <span>        // std::span
#include <string>      // std::string, std::to_string
#include <vector>      // std::vector

namespace fmsb::chronos {

/// A model that reads the past of a series and predicts quantiles of what follows, several steps at once.
///
///     quantiles            the levels, rising
///     context_length       values of the past that it reads at most
///     prediction_length    steps ahead that one pass predicts at most
///     predict(x, steps)    x [series, T] float, NaN where there is a gap, T up to context_length ->
///                          [series, levels, steps] in the units of x, steps from 1 to prediction_length
///
/// What a model may tell besides, for horizons beyond prediction_length:
///
///     path_levels          levels whose quantiles are gone on from; without: all
///     pooled(paths)        [series, paths, levels, steps] -> [series, levels, steps]: one forecast from
///                          those of all paths; without: the quantiles of their quantiles
template <class Model>
concept quantile_model = requires(const Model& m, const tensor& x, index_t steps) {
  { Model::quantiles } -> std::convertible_to<std::span<const double>>;
  { Model::context_length } -> std::convertible_to<index_t>;
  { Model::prediction_length } -> std::convertible_to<index_t>;
  { m.predict(x, steps) } -> std::convertible_to<tensor>;
};

/// What is asked of a forecast of quantiles.
struct quantile_forecast_options {
  std::optional<index_t> horizon{};      ///< steps ahead; without: the model's prediction_length
  bool limit_prediction_length = false;  ///< refuse horizons beyond what one pass predicts
  index_t series_at_once = 0;  ///< 0: as many as hold 65,536 values of the past with all paths, at most 32
  std::function<void(std::size_t)>
      advanced{};  ///< called with the number of series that have just been finished
};

namespace detail {

template <quantile_model Model>
constexpr std::span<const double> path_levels() {
  if constexpr (requires { Model::path_levels; })
    return Model::path_levels;
  else
    return Model::quantiles;
}

/// One forecast from those of all paths.
/// @param paths  [series, paths, levels, steps]
template <quantile_model Model>
tensor pooled(const tensor& paths) {
  if constexpr (requires { Model::pooled(paths); }) {
    return Model::pooled(paths);
  } else {
    const std::span<const double> levels = Model::quantiles;
    const auto wanted = at::tensor(at::ArrayRef<double>(levels.data(), levels.size()), paths.options());
    return at::quantile(paths.flatten(1, 2), wanted, 1).transpose(0, 1);
  }
}

/// @param past      [series, T]
/// @param predict   predict(context [series * paths, T], done, steps) -> [series * paths, levels, steps] from
///                  step `done` on
/// @param appended  appended(values [series, paths, steps], done) -> what is appended to the pasts for the
///                  steps from `done` on, of the same shape
/// @return [series, levels, horizon]
template <quantile_model Model, class Predict, class Appended>
tensor quantiles_ahead(const tensor& past, index_t horizon, Predict&& predict, Appended&& appended) {
  constexpr index_t most = Model::prediction_length, kept = Model::context_length;
  std::vector<tensor> stretches{predict(past, index_t{0}, std::min(horizon, most))};
  const auto levels = path_levels<Model>();
  tensor context = past.unsqueeze(1).expand({-1, static_cast<index_t>(levels.size()), -1});
  for (index_t done = most; done < horizon; done += most) {
    const auto values = quantiles_at(stretches.back(), Model::quantiles, levels);
    context = at::cat({context, appended(values, done - most)}, 2);
    if (context.size(2) > kept) context = context.narrow(2, context.size(2) - kept, kept);
    const auto each = predict(context.flatten(0, 1), done, std::min(horizon - done, most));
    stretches.push_back(pooled<Model>(each.unflatten(0, {context.size(0), context.size(1)})));
  }
  return stretches.size() == 1 ? stretches[0] : at::cat(stretches, 2);
}

/// The horizon that is asked for, and how many series of a length are worked on at once.
struct quantile_forecast_plan {
  index_t horizon, paths, at_once;

  /// @param caller  what messages call the function
  template <quantile_model Model>
  quantile_forecast_plan(const Model& model, const quantile_forecast_options& options, index_t length,
                         const std::string& caller)
      : horizon(options.horizon.value_or(Model::prediction_length)) {
    constexpr index_t trained_for = Model::prediction_length;
    if (horizon < 1 || options.series_at_once < 0)
      throw usage_error(caller + ": a horizon of " + std::to_string(horizon) + " was asked for, " +
                        std::to_string(options.series_at_once) + " series at once; a horizon is 1 at least.");
    if (options.limit_prediction_length && horizon > trained_for)
      throw usage_error(caller + ": the horizon " + std::to_string(horizon) +
                        " lies beyond the model's prediction length, " + std::to_string(trained_for) +
                        ", where its quality may fall; turn off limit_prediction_length to go on from the "
                        "quantiles.");
    if constexpr (requires { model.is_training(); })
      if (model.is_training())
        throw usage_error(caller +
                          ": the model is in training mode, in which dropout would disturb the forecast; "
                          "call its eval() first.");
    paths = horizon > trained_for ? static_cast<index_t>(path_levels<Model>().size()) : 1;
    at_once = options.series_at_once > 0 ? options.series_at_once
                                         : std::clamp<index_t>(65536 / (length * paths), 1, 32);
  }
};

}  // namespace detail

/// Quantiles of what follows each series.
///
/// Beyond the model's prediction length the forecast goes on from itself: the quantiles of each step are
/// appended to the past, each to its own copy of it, and the forecasts of all copies are pooled, as in the
/// Python package. A series' forecast does not depend on those beside it, beyond rounding.
///
/// @param model   in evaluation mode, on the CPU
/// @param series  the pasts; NaN is a gap
/// @return [series, levels, horizon] float; the levels are `Model::quantiles`
/// @throws usage_error for options that mean nothing, a model in training mode, no series, or one without
///                     values; data_error for infinite values
template <quantile_model Model>
tensor forecast_quantiles(const Model& model, contexts series,
                          const quantile_forecast_options& options = {}) {
  const std::string caller = "fmsb::chronos::forecast_quantiles";
  const auto count = static_cast<index_t>(series.size());
  const index_t length = detail::row_length(series, Model::context_length, 1, caller);
  const detail::quantile_forecast_plan plan(model, options, length, caller);
  auto out =
      at::empty({count, static_cast<index_t>(std::span<const double>(Model::quantiles).size()), plan.horizon},
                at::TensorOptions().dtype(at::kFloat));
  const c10::InferenceMode no_gradient;  // from here on: what is returned is an ordinary tensor
  for (index_t first = 0; first < count; first += plan.at_once) {
    const auto chunk = series.subspan(static_cast<std::size_t>(first),
                                      static_cast<std::size_t>(std::min(plan.at_once, count - first)));
    const auto past = context_rows(chunk, Model::context_length, static_cast<std::size_t>(first));
    const auto ahead = detail::quantiles_ahead<Model>(
        past, plan.horizon,
        [&](const tensor& context, index_t, index_t steps) { return model.predict(context, steps); },
        [](const tensor& values, index_t) { return values; });
    out.narrow(0, first, past.size(0)).copy_(ahead);
    if (options.advanced) options.advanced(chunk.size());
  }
  return out;
}

}  // namespace fmsb::chronos
