#pragma once
#include "fmsb/core/error.hpp"          // usage_error
#include "fmsb/nn/generator_guard.hpp"  // generator_guard
#include "fmsb/nn/module.hpp"           // module
#include "fmsb/report/progress.hpp"     // progress
#include "fmsb/report/table.hpp"        // fixed
#include "fmsb/train/autocast.hpp"      // autocast
#include "fmsb/train/history.hpp"       // history
#include "fmsb/train/options.hpp"       // fit_options
#include "fmsb/train/run.hpp"           // run
#include "fmsb/train/sampler.hpp"       // sampler
#include "fmsb/train/stop_signals.hpp"  // stop_signals

#include <concepts>    // std::convertible_to
#include <cstdint>     // std::uint64_t
#include <functional>  // std::function
#include <optional>    // std::optional
#include <string>      // std::string
#include <vector>      // std::vector

namespace fmsb::train {

/// What `fit` calls besides the loss.
template <class Model>
struct hooks {
  /// A score of the model, lower is better. Called in eval mode and without gradients; what it draws from
  /// LibTorch's CPU generator does not change the training. It holds a validation part of the data: a test
  /// part is none of it.
  std::function<double(Model&)> validate{};
  /// With the gradients of a step, before they are clipped and used, and the number of steps done before it.
  /// For penalties that are given as gradients. Not called where the loss is not finite.
  std::function<void(Model&, std::uint64_t)> after_backward{};
  /// After an update, with the number of steps done before it; gradients are still there. For what follows
  /// the training in steps, such as adapt::rank_allocator.
  std::function<void(Model&, std::uint64_t)> after_step{};
  /// Whether the training has reached what it is for and ends before its last step; asked after each.
  std::function<bool(Model&, std::uint64_t)> enough{};
  /// Tensors that the hooks write, for the checkpoint to hold: a resumed training gets their numbers back.
  std::vector<nn::named_tensor> kept{};
};

/// Parameters of a model that take gradients, for an optimiser without groups.
template <class T>
std::vector<tensor> trainable(const nn::module<T>& model) {
  auto all = model->parameters();
  std::erase_if(all, [](const tensor& p) { return !p.requires_grad(); });
  return all;
}

namespace detail {

template <class Batches>
std::uint64_t steps_of(const fit_options& options, const Batches& batches) {
  if (options.steps > 0 && options.epochs > 0)
    throw usage_error("fmsb::train::fit: both " + std::to_string(options.steps) + " steps and " +
                      std::to_string(options.epochs) + " epochs were asked for; give one of them.");
  if (options.epochs == 0 || options.accumulate == 0) return options.steps;
  if constexpr (requires {
                  { batches.batches_an_epoch() } -> std::convertible_to<std::uint64_t>;
                })
    return (options.epochs * batches.batches_an_epoch() + options.accumulate - 1) / options.accumulate;
  else
    throw usage_error(
        "fmsb::train::fit: epochs were asked for, but the sampler has no batches_an_epoch() that says "
        "how many batches make one; give fit_options::steps.");
}

inline void require_score(const validation_options& wanted, bool has_score) {
  if (!has_score && (wanted.every > 0 || wanted.patience > 0 || wanted.at_start))
    throw usage_error(
        "fmsb::train::fit: fit_options::validation says when to validate, but nothing says how. Give "
        "hooks::validate, which returns the model's score.");
}

template <class Model, class Hooks>
void validate(Model& model, const Hooks& with, run& training) {
  const nn::detail::generator_guard generator;
  const torch::NoGradGuard no_gradient;
  model->eval();
  const double score = with.validate(model);
  model->train();
  training.validated(score);
}

/// The progress line's words: "loss 0.4312, validation 0.398 at 1,200, 14.2 steps/s".
inline std::string progress_note(const run& training, double steps_a_second) {
  const auto& past = training.past();
  std::string text = "loss " + report::fixed(training.last_loss(), 4);
  if (past.best)
    text += ", best " + report::fixed(past.best->score, 4) + " at " + report::grouped(past.best->step);
  return text + ", " + report::fixed(steps_a_second, steps_a_second < 10 ? 2 : 0) + " steps/s";
}

}  // namespace detail

/// Trains a model: for each step the loss of its batches, gradients, clipping, an update at the scheduled
/// rate; and around it validation, early stop, checkpoints, a log and a progress line.
///
///     torch::optim::AdamW adam(adapt::groups(model, torch::optim::AdamWOptions(1e-3)));
///     train::shuffled_rows batches(rows, 32, seed);
///     const auto past = train::fit(model, adam, batches, loss,
///                                  {.steps = 1000, .rate = train::linear_rate{}}, {.validate = score});
///
/// With a checkpoint file a training that was ended (by a signal, SIGKILL, or the machine) goes on from the
/// file when the same program runs again, and on one thread ends with the same bits as if it had never been
/// ended.
///
/// @param model      what is trained; on return in train mode, with the numbers of the best validation if
///                   it ended by itself and validates
/// @param optimiser  torch::optim::AdamW or SGD over all parameters that take gradients (any optimiser
///                   without a checkpoint file); each group keeps its own rate, which the schedule
///                   multiplies
/// @param batches    where batches come from
/// @param loss       loss(model, batch) -> one number with a gradient
/// @return what happened
/// @throws usage_error if options, groups and model do not fit together, or a file cannot be written
/// @throws data_error  if the checkpoint is of another model or training (both fingerprints are in the
///                     message), or if more steps than `skippable` had numbers that are not finite
template <nn::layer_type T, sampler Batches, class Loss>
history fit(nn::module<T>& model, torch::optim::Optimizer& optimiser, Batches& batches, Loss&& loss,
            const fit_options& options, const hooks<nn::module<T>>& with = {}) {
  const auto total = detail::steps_of(options, batches);
  detail::require_score(options.validation, static_cast<bool>(with.validate));
  detail::run training(*model, model->fingerprint(), optimiser, options, total, with.kept);
  std::optional<stop_signals> signals;
  if (options.signals == on_signal::save_and_stop) signals.emplace();
  std::optional<report::progress> line;

  if (training.resume()) batches.restore(training.sampler());
  if (!options.progress.empty()) line.emplace(options.progress, total, training.step());
  model->train();
  if (!training.ended() && training.step() == 0 && options.validation.at_start && with.validate) {
    detail::validate(model, with, training);
    training.log_start();
  }
  while (!training.ended()) {
    training.begin_step();
    bool finite = true;
    for (std::uint64_t i = 0; finite && i < options.accumulate; ++i) {
      const auto batch = batches.next();
      const tensor value = [&]() -> tensor {
        const autocast products(options.products, training.device());
        return loss(model, batch);
      }();
      finite = training.backward(value);
    }
    if (finite && with.after_backward) with.after_backward(model, training.step());
    const bool updated = training.end_step();
    if (updated && with.after_step) with.after_step(model, training.step() - 1);
    const bool validated = with.validate && training.validation_is_due();
    if (validated) detail::validate(model, with, training);
    training.close_step(validated, with.enough && with.enough(model, training.step()));
    if (training.checkpoint_is_due()) training.write(batches.state());
    if (line) line->advance(1, [&](double rate) { return detail::progress_note(training, rate); });
  }
  return training.finish();
}

}  // namespace fmsb::train
