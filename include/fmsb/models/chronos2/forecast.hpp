#pragma once
#include "fmsb/core/error.hpp"                        // usage_error
#include "fmsb/models/chronos/context_rows.hpp"       // context_rows, row_length
#include "fmsb/models/chronos/quantile_forecast.hpp"  // quantiles_ahead, quantile_forecast_plan
#include "fmsb/models/chronos2.hpp"                   // chronos2_inputs

#include <ATen/ops/full.h>    // at::full
#include <ATen/ops/tensor.h>  // at::tensor
#include <ATen/ops/where.h>   // at::where

#include <algorithm>  // std::min
#include <concepts>   // std::convertible_to
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::string, std::to_string
#include <vector>     // std::vector

namespace fmsb::chronos {

/// Series that are forecast together. Their pasts end at the same time; a gap is NaN.
struct forecast_task {
  /// A covariate whose future is known, from the first step ahead on; unknown where it is NaN or shorter than
  /// the horizon.
  struct known_series {
    std::span<const double> past{}, future{};
  };
  std::vector<std::span<const double>> targets{};          ///< at least one
  std::vector<std::span<const double>> past_covariates{};  ///< known up to now
  std::vector<known_series> known_covariates{};

  std::size_t size() const { return targets.size() + past_covariates.size() + known_covariates.size(); }
};

/// A quantile_model that forecasts groups of series together, and takes what is known of their future.
template <class Model>
concept group_model = quantile_model<Model> &&
    requires(const Model& m, const tensor& x, index_t steps, const models::chronos2_inputs& inputs) {
  { m.predict(x, steps, inputs) } -> std::convertible_to<tensor>;
};

namespace detail {

/// Tasks as rows of a batch: of each task its targets, then covariates of the past, then known ones.
struct task_rows {
  std::vector<std::span<const double>> pasts{}, futures{};  ///< a future is empty where nothing is known
  std::vector<index_t> groups{};                            ///< of each row, the number of its task

  explicit task_rows(std::span<const forecast_task> tasks) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const auto& task = tasks[i];
      if (task.targets.empty())
        throw usage_error("fmsb::chronos::forecast_tasks: task " + std::to_string(i) +
                          " has no target; a task is to forecast one series at least.");
      for (const auto* series : {&task.targets, &task.past_covariates})
        for (const auto past : *series) add(past, {}, i);
      for (const auto& covariate : task.known_covariates) add(covariate.past, covariate.future, i);
    }
  }

  /// [count, horizon], NaN where nothing is known; undefined where nothing is known at all.
  tensor known(std::size_t first, std::size_t count, index_t horizon) const {
    tensor all;
    const auto steps = static_cast<std::size_t>(horizon);
    for (std::size_t i = 0; i < count; ++i) {
      const auto future = futures[first + i].first(std::min(futures[first + i].size(), steps));
      if (future.empty()) continue;
      if (!all.defined())
        all = at::full({static_cast<index_t>(count), horizon}, std::numeric_limits<double>::quiet_NaN(),
                       at::TensorOptions().dtype(at::kFloat));
      write_floats(future, first + i, "fmsb::chronos::forecast_tasks, known values",
                   all.mutable_data_ptr<float>() + i * steps);
    }
    return all;
  }

 private:
  void add(std::span<const double> past, std::span<const double> future, std::size_t task) {
    pasts.push_back(past);
    futures.push_back(future);
    groups.push_back(static_cast<index_t>(task));
  }
};

/// @param past    [rows, T]
/// @param groups  [rows]
/// @param known   [rows, horizon], may be undefined
/// @return [rows, levels, horizon]
template <group_model Model>
tensor groups_ahead(const Model& model, const tensor& past, const tensor& groups, const tensor& known,
                    index_t horizon) {
  const auto known_from = [&](index_t done, index_t steps) {
    return known.narrow(1, done, std::min(steps, horizon - done));
  };
  const auto predict = [&](const tensor& context, index_t done, index_t steps) {
    // The paths of a group are groups of their own.
    const index_t paths = context.size(0) / past.size(0);
    models::chronos2_inputs inputs;
    inputs.groups = (groups.unsqueeze(1) * paths + at::arange(paths, groups.options())).flatten();
    if (known.defined()) inputs.known = known_from(done, steps).repeat_interleave(paths, 0);
    return model.predict(context, steps, inputs);
  };
  const auto appended = [&](const tensor& values, index_t done) {
    if (!known.defined()) return values;
    const auto instead = known_from(done, values.size(2)).unsqueeze(1);
    return at::where(instead.isnan(), values, instead);
  };
  return quantiles_ahead<Model>(past, horizon, predict, appended);
}

}  // namespace detail

/// Quantiles of what follows the targets of each task, with what their other series tell: the series of a
/// task attend to each other, those of different tasks do not.
///
/// Beyond the model's prediction length the forecast goes on from itself, as that of forecast_quantiles; a
/// known covariate goes on with what is known of it. A task's forecast does not depend on those beside it,
/// beyond rounding.
///
/// @param model    in evaluation mode, on the CPU; a chronos2
/// @param tasks    their pasts may differ in length, also within a task: they end at the same time
/// @param options  `series_at_once` counts all series of the tasks; one task is never divided. `advanced` is
///                 called with the number of tasks that have just been finished
/// @return for each task [targets, levels, horizon] float; the levels are `Model::quantiles`
/// @throws usage_error for options that mean nothing, a model in training mode, no tasks, one without
/// targets, or
///                     a series without values; data_error for infinite values. Messages count the series of
///                     all tasks: of each its targets, covariates of the past, known ones
template <group_model Model>
std::vector<tensor> forecast_tasks(const Model& model, std::span<const forecast_task> tasks,
                                   const quantile_forecast_options& options = {}) {
  const std::string caller = "fmsb::chronos::forecast_tasks";
  const detail::task_rows rows(tasks);
  const index_t length = detail::row_length(rows.pasts, Model::context_length, 1, caller);
  const detail::quantile_forecast_plan plan(model, options, length, caller);
  const auto levels = static_cast<index_t>(std::span<const double>(Model::quantiles).size());
  std::vector<tensor> out;
  for (const auto& task : tasks)
    out.push_back(at::empty({static_cast<index_t>(task.targets.size()), levels, plan.horizon},
                            at::TensorOptions().dtype(at::kFloat)));

  const c10::InferenceMode no_gradient;  // from here on: what is returned are ordinary tensors
  std::size_t row = 0;
  for (std::size_t first = 0; first < tasks.size();) {
    std::size_t last = first, count = 0;
    do count += tasks[last++].size();
    while (last < tasks.size() && count + tasks[last].size() <= static_cast<std::size_t>(plan.at_once));
    const auto past = context_rows(std::span(rows.pasts).subspan(row, count), Model::context_length, row);
    const auto groups = at::tensor(at::ArrayRef<index_t>(rows.groups).slice(row, count),
                                   at::TensorOptions().dtype(at::kLong));
    const auto ahead =
        detail::groups_ahead(model, past, groups, rows.known(row, count, plan.horizon), plan.horizon);
    index_t of_task = 0;
    for (std::size_t i = first; i < last; ++i) {
      out[i].copy_(ahead.narrow(0, of_task, out[i].size(0)));
      of_task += static_cast<index_t>(tasks[i].size());
    }
    if (options.advanced) options.advanced(last - first);
    row += count;
    first = last;
  }
  return out;
}

}  // namespace fmsb::chronos
