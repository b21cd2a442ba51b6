#pragma once
#include "fmsb/core/error.hpp"          // usage_error, data_error
#include "fmsb/core/number_text.hpp"    // number_text
#include "fmsb/train/checkpoint.hpp"    // checkpoint, read_checkpoint, write_checkpoint
#include "fmsb/train/gradients.hpp"     // gradient_norm, clip_gradients
#include "fmsb/train/options.hpp"       // fit_options
#include "fmsb/train/step_log.hpp"      // step_log
#include "fmsb/train/stop_signals.hpp"  // stop_signals

#include <algorithm>   // std::min
#include <chrono>      // std::chrono::steady_clock
#include <cmath>       // std::isfinite, std::isnan
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::exists
#include <string>      // std::string
#include <utility>     // std::move
#include <vector>      // std::vector

namespace fmsb::train::detail {

/// All of a training that does not depend on the types of model and batches.
class run {
 public:
  run(torch::nn::Module& model, nn::module_fingerprint fingerprint, torch::optim::Optimizer& optimiser,
      const fit_options& options, std::uint64_t total, std::vector<nn::named_tensor> kept)
      : model_(model), optimiser_(optimiser), options_(options), total_(total) {
    require_usable();
    parameters_ = optimised_parameters(model_, optimiser_);
    for (const auto& p : parameters_) {
      trained_.push_back(p.value);
      now_.past.trained_parameters += p.value.numel();
    }
    if (trained_.empty())
      throw usage_error("fmsb::train::fit: the optimiser holds no parameter, so there is nothing to train.");
    for (auto& group : optimiser_.param_groups()) rates_.push_back(group.options().get_lr());
    now_.model = std::move(fingerprint);
    now_.moving = moving_tensors(model_);
    now_.kept = std::move(kept);
    if (writes_checkpoints()) {
      now_.options = options_text();
      now_.frozen = hash_of_frozen(model_);
    }
  }
  run(const run&) = delete;
  run& operator=(const run&) = delete;
  ~run() {
    for (std::size_t i = 0; i < rates_.size(); ++i) optimiser_.param_groups()[i].options().set_lr(rates_[i]);
  }

  const history& past() const { return now_.past; }
  std::uint64_t step() const { return now_.past.steps; }
  bool ended() const { return now_.past.stopped != stop::not_yet; }
  double last_loss() const { return now_.past.losses.empty() ? 0 : now_.past.losses.back(); }
  at::DeviceType device() const { return trained_.front().device().type(); }

  /// Goes on where a checkpoint stands, if there is one. @return whether `sampler()` is to be restored
  bool resume() {
    const auto& wanted = options_.checkpoint;
    const bool there = writes_checkpoints() && wanted.from == train::resume::if_there &&
                       std::filesystem::exists(wanted.file);
    if (there) {
      const auto numbers = now_.past.trained_parameters;
      read_checkpoint(wanted.file, now_, optimiser_, parameters_);
      now_.past.trained_parameters = numbers;
      seconds_before_ = now_.past.seconds;
    }
    if (!options_.log.file.empty()) log_ = step_log(options_.log.file, step());
    now_.past.losses.reserve(std::min<std::uint64_t>(total_, 1u << 20));
    if (!ended() && pause_is_due()) now_.past.stopped = stop::paused;
    began_ = clock::now();
    return there;
  }
  const sampler_state& sampler() const { return now_.sampler; }

  void begin_step() {
    optimiser_.zero_grad(/*set_to_none=*/true);
    factor_ = options_.rate(step(), total_);
    for (std::size_t i = 0; i < rates_.size(); ++i)
      optimiser_.param_groups()[i].options().set_lr(rates_[i] * factor_);
    first_batch_ = now_.past.batches + 1;
    loss_ = 0;
  }

  /// @return false where the loss is not finite, and the step is to be left
  bool backward(const tensor& loss) {
    ++now_.past.batches;
    require_loss(loss);
    const double value = loss.item<double>();
    loss_ += value / static_cast<double>(options_.accumulate);
    if (!std::isfinite(value)) return false;
    if (options_.accumulate == 1)
      loss.backward();
    else
      (loss / static_cast<double>(options_.accumulate)).backward();
    return true;
  }

  /// Clips, updates and counts; a step with numbers that are not finite is counted as skipped.
  /// @return whether the parameters were updated
  bool end_step() {
    norm_ = std::isfinite(loss_) ? gradient_norm(trained_) : loss_;
    const bool sound = std::isfinite(norm_);
    if (sound) {
      if (options_.clip_norm > 0) clip_gradients(trained_, norm_, options_.clip_norm);
      optimiser_.step();
    } else {
      skip();
    }
    now_.past.losses.push_back(sound ? loss_ : elementary::not_a_number);
    ++now_.past.steps;
    return sound;
  }

  bool validation_is_due() const {
    const auto every = options_.validation.every;
    return step() == total_ || (every > 0 && step() % every == 0);
  }

  void validated(double score) {
    auto& past = now_.past;
    past.validations.push_back({step(), score});
    if (std::isfinite(score) && (!past.best || score < past.best->score)) {
      past.best = past.validations.back();
      now_.stale = 0;
      keep_best();
    } else {
      ++now_.stale;
    }
  }

  /// Finds out whether this was the last step, and writes its line.
  /// @param enough  the caller wants no further step
  void close_step(bool validated, bool enough) {
    now_.past.seconds = seconds();
    const auto patience = options_.validation.patience;
    if (step() >= total_)
      now_.past.stopped = stop::finished;
    else if (validated && patience > 0 && now_.stale >= patience)
      now_.past.stopped = stop::no_improvement;
    else if (enough)
      now_.past.stopped = stop::enough;
    else if ((now_.past.signal = signal()) != 0)
      now_.past.stopped = stop::signal;
    else if (pause_is_due())
      now_.past.stopped = stop::paused;
    const bool line_is_due = options_.log.every > 0 && step() % options_.log.every == 0;
    if (log_ && (validated || line_is_due || ended())) log_.write(line(validated));
  }

  bool checkpoint_is_due() const {
    const auto every = options_.checkpoint.every;
    return writes_checkpoints() && (ended() || (every > 0 && step() % every == 0));
  }
  void write(sampler_state sampler) {
    now_.sampler = std::move(sampler);
    write_checkpoint(options_.checkpoint.file, now_, optimiser_, parameters_);
  }

  /// A line for a validation before the first step.
  void log_start() {
    if (log_) log_.write({{"step", 0}, {"validation", now_.past.validations.back().score}});
  }

  /// What happened; a training that ended by itself leaves the model at its best.
  history finish() {
    const bool over = now_.past.stopped == stop::finished || now_.past.stopped == stop::no_improvement ||
                      now_.past.stopped == stop::enough;
    if (over && options_.validation.restore_best && !now_.best.empty()) {
      const torch::NoGradGuard no_gradient;
      for (std::size_t i = 0; i < now_.moving.size(); ++i) now_.moving[i].value.copy_(now_.best[i]);
    }
    optimiser_.zero_grad(/*set_to_none=*/true);
    return std::move(now_.past);
  }

 private:
  using clock = std::chrono::steady_clock;

  bool writes_checkpoints() const { return !options_.checkpoint.file.empty(); }
  bool pause_is_due() const { return options_.pause_at > 0 && step() >= options_.pause_at; }
  int signal() const { return options_.signals == on_signal::save_and_stop ? stop_signals::received() : 0; }
  double seconds() const {
    return seconds_before_ + std::chrono::duration<double>(clock::now() - began_).count();
  }

  void require_usable() const {
    const auto refuse = [](const std::string& what) { throw usage_error("fmsb::train::fit: " + what); };
    if (total_ == 0) refuse("no step was asked for; give fit_options::steps or epochs.");
    if (options_.accumulate == 0) refuse("accumulate is 0; a step takes at least one batch.");
    if (!(options_.clip_norm >= 0))
      refuse("clip_norm was given as " + number_text(options_.clip_norm) +
             "; give the largest norm that gradients may have, or 0 for any.");
  }

  std::string options_text() const {
    std::string text = optimiser_text(optimiser_, parameters_) + "; steps=" + std::to_string(total_) +
                       ", accumulate=" + std::to_string(options_.accumulate) +
                       ", rate=" + options_.rate.describe() +
                       ", clip_norm=" + number_text(options_.clip_norm) +
                       (options_.products == precision::bf16 ? ", bf16" : "") + "; validation every " +
                       std::to_string(options_.validation.every) + ", patience " +
                       std::to_string(options_.validation.patience);
    return options_.about.empty() ? text : text + "; " + options_.about;
  }

  static void require_loss(const tensor& loss) {
    if (!loss.defined() || loss.numel() != 1)
      throw usage_error("fmsb::train::fit: the loss of a batch must be one number, but " +
                        (loss.defined()
                             ? "has the shape " + nn::detail::shape_text(loss) + "; take its mean or sum."
                             : std::string("is an undefined tensor; return the loss.")));
    if (!loss.requires_grad())
      throw usage_error(
          "fmsb::train::fit: the loss of a batch does not depend on what trains, so it has no "
          "gradient. Compute it with the model that was given, without NoGradGuard or detach().");
  }

  void skip() {
    auto& past = now_.past;
    if (++past.skipped <= options_.skippable) return;
    const bool by_loss = !std::isfinite(loss_);
    const auto batches = by_loss || first_batch_ == past.batches ? "batch " + std::to_string(past.batches)
                                                                 : "batches " + std::to_string(first_batch_) +
                                                                       " to " + std::to_string(past.batches);
    throw data_error("Step " + std::to_string(step() + 1) + " of the training, " + batches +
                     " from its start: the " + (by_loss ? "loss is " : "norm of the gradients is ") +
                     (std::isnan(norm_) ? "nan" : number_text(norm_)) + ", and " +
                     std::to_string(options_.skippable) +
                     " steps were skipped for such numbers before. Look for " +
                     "values in the data that are not finite, lower the rate, or clip the gradients.");
  }

  void keep_best() {
    if (!options_.validation.restore_best) return;
    const torch::NoGradGuard no_gradient;
    if (now_.best.empty())
      for (const auto& item : now_.moving) now_.best.push_back(item.value.detach().clone());
    else
      for (std::size_t i = 0; i < now_.best.size(); ++i) now_.best[i].copy_(now_.moving[i].value);
  }

  report::json line(bool validated) const {
    report::json out{{"step", step()},
                     {"loss", now_.past.losses.back()},
                     {"gradient_norm", norm_},
                     {"rate_factor", factor_},
                     {"seconds", now_.past.seconds}};
    if (validated) out["validation"] = now_.past.validations.back().score;
    return out;
  }

  torch::nn::Module& model_;
  torch::optim::Optimizer& optimiser_;
  const fit_options& options_;
  std::uint64_t total_;
  std::vector<nn::named_tensor> parameters_;  // of the optimiser, group after group
  std::vector<tensor> trained_;               // the same, without names
  std::vector<double> rates_;                 // each group's own
  checkpoint now_;
  step_log log_;
  std::uint64_t first_batch_ = 0;
  double loss_ = 0, norm_ = 0, factor_ = 1, seconds_before_ = 0;
  clock::time_point began_ = clock::now();
};

}  // namespace fmsb::train::detail
