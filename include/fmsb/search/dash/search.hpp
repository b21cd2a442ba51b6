#pragma once
#include "fmsb/core/error.hpp"              // usage_error
#include "fmsb/core/number_text.hpp"        // number_text
#include "fmsb/data/labelled.hpp"           // train_examples, validation_examples
#include "fmsb/search/dash/candidates.hpp"  // likeliest
#include "fmsb/search/dash/found.hpp"       // found
#include "fmsb/search/dash/options.hpp"     // search_options
#include "fmsb/search/dash/supernet.hpp"    // searched_places, rescale_gradients
#include "fmsb/train/examples.hpp"          // tensors_of, classification_loss
#include "fmsb/train/fit.hpp"               // fit
#include "fmsb/train/gradients.hpp"         // gradient_norm, clip_gradients
#include "fmsb/train/optimiser.hpp"         // make_optimiser
#include "fmsb/train/sampler.hpp"           // first_batches

#include <algorithm>  // std::none_of
#include <cmath>      // std::pow
#include <cstdint>    // std::uint64_t
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::dash {

namespace detail {

/// Weights and alpha as two groups, each with its rate.
inline std::vector<train::rate_group> groups_of(const torch::nn::Module& net,
                                                const std::vector<searched_place>& places,
                                                const search_options& options) {
  train::rate_group weights{{}, options.rate}, alphas{{}, options.arch_rate};
  for (const auto& place : places) alphas.parameters.push_back(place.alpha);
  for (const auto& p : net.parameters()) {
    const auto& all = alphas.parameters;
    if (std::none_of(all.begin(), all.end(), [&](const tensor& alpha) { return alpha.is_same(p); }))
      weights.parameters.push_back(p);
  }
  return {std::move(weights), std::move(alphas)};
}

inline void require_usable(const search_options& of) {
  const auto refuse = [](const std::string& what) { throw usage_error("fmsb::dash::search: " + what); };
  if (of.epochs == 0) refuse("no epoch was asked for.");
  if (of.batch < 1) refuse("a batch of " + std::to_string(of.batch) + " examples was asked for.");
  if (!(of.share > 0 && of.share <= 1))
    refuse("the share of an epoch's batches was given as " + number_text(of.share) +
           "; give one above 0 and at most 1.");
  if (!(of.first_temperature > 0 && of.last_temperature > 0)) refuse("a temperature must be above 0.");
  if (!(of.gradient_scale > 0)) refuse("gradient_scale must be above 0.");
  if (of.candidates == 0) refuse("no candidate was asked for; give 1 for the likeliest architecture.");
}

/// What a checkpoint must agree on besides optimiser and schedule.
inline std::string about(const search_options& of, const train::example_tensors& examples,
                         const std::string& name) {
  return "dash::search of " + name + ", " + nn::detail::shape_text(examples.x) + ", gradient_scale " +
         number_text(of.gradient_scale) + ", field_penalty " + number_text(of.field_penalty) +
         ", temperature " + number_text(of.first_temperature) + " to " + number_text(of.last_temperature) +
         ", clip_norm " + number_text(of.clip_norm) + (of.clipped == clipping::weights ? " of weights" : "") +
         (of.alpha == learned_from::held_out ? ", alpha from held-out examples" : "") + ", label_smoothing " +
         number_text(of.label_smoothing) + ", seed " + std::to_string(of.seed);
}

/// The supernet with some points alone, its batch norms fitted to them, on the validation part.
template <nn::layer_type Supernet>
double loss_at(const nn::module<Supernet>& net, const std::vector<std::size_t>& points,
               const train::example_tensors& train, const train::example_tensors& validation,
               const search_options& options) {
  constexpr index_t kBatches = 16;
  const torch::NoGradGuard no_gradient;
  nn::module<Supernet> copy(std::static_pointer_cast<nn::concrete<Supernet>>(net->clone()));
  const chosen_points single(searched_places(copy), points);
  copy->train();
  auto batches = train::full_batches(train.x.size(0), options.batch, options.seed);
  for (index_t i = 0; i < kBatches; ++i) copy->forward(train.x.index_select(0, batches.next()));
  const auto logits = train::outputs_of(copy, validation.x, options.batch);
  return at::cross_entropy_loss(logits, validation.y).template item<double>();
}

/// See `dash::search`. @param validation  null: nobody asks for it
template <nn::layer_type Supernet>
found<Supernet> search(const data::train_examples& train, const data::validation_examples* validation,
                       const search_options& options) {
  using space_type = typename Supernet::space_type;
  require_usable(options);
  torch::manual_seed(options.seed);
  const auto settings = models::settings_for(train.members());
  nn::module<Supernet> net(settings);
  net->to(options.device);
  const auto places = searched_places(net);
  const auto groups = groups_of(*net, places, options);
  const auto rule = train::make_optimiser(options.by, options.weight_decay, groups);
  const auto examples = train::tensors_of(train, options.balance, options.device);
  const auto fields = fields_of<space_type>().to(options.device);

  auto rows = train::full_batches(examples.x.size(0), options.batch, options.seed);
  const auto whole = static_cast<double>(rows.batches_an_epoch());
  train::first_batches batches(std::move(rows), static_cast<std::uint64_t>(options.share * whole) + 1);
  const auto steps_an_epoch = batches.batches_an_epoch();

  auto shares = at::zeros({static_cast<index_t>(options.epochs) + 1, static_cast<index_t>(places.size()),
                           static_cast<index_t>(space_type::size)},
                          at::kDouble);
  shares[0].copy_(shares_of(places));
  const train::classification_loss plain{examples, options.label_smoothing, options.change};
  const auto loss = [&](auto& model, const tensor& batch) {
    const double done = options.epochs < 2
                            ? 0
                            : static_cast<double>(batches.epoch()) / static_cast<double>(options.epochs - 1);
    set_temperature(places, options.first_temperature *
                                std::pow(options.last_temperature / options.first_temperature, done));
    return plain(model, batch.to(examples.x.device()));
  };
  const bool asks = options.alpha == learned_from::held_out || options.candidates > 1;
  train::example_tensors held;
  if (validation != nullptr && asks)
    held = train::tensors_of(*validation, train::class_balance::as_is, options.device);
  auto held_rows = train::full_batches(held.x.defined() ? held.x.size(0) : 1, options.batch, options.seed);
  const train::classification_loss plain_held{held, options.label_smoothing, {}};

  train::hooks<nn::module<Supernet>> hooks;
  const bool apart = options.clipped == clipping::weights;
  const auto& weights = groups.front().parameters;
  hooks.after_backward = [&](auto& model, std::uint64_t steps) {
    if (options.alpha == learned_from::held_out)
      take_gradients(places, plain_held(model, held_rows.batch_after(steps).to(examples.x.device())));
    if (apart && options.clip_norm > 0)
      train::clip_gradients(weights, train::gradient_norm(weights), options.clip_norm);
    rescale_gradients(places, fields, options.gradient_scale, options.field_penalty);
  };
  hooks.enough = [&](auto&, std::uint64_t steps) {
    if (steps % steps_an_epoch != 0) return false;
    const auto epoch = static_cast<std::size_t>(steps / steps_an_epoch);
    shares[static_cast<index_t>(epoch)].copy_(shares_of(places));
    if (options.settled == 0) return false;
    const auto past = trace_of(shares, epoch + 1);
    return past.settled() > options.settled && past.entropy(epoch) <= options.undecided;
  };
  hooks.kept.push_back({"dash.shares", shares});

  train::fit_options fit;
  fit.steps = options.epochs * steps_an_epoch;
  fit.rate = train::by_epoch{options.rate_by_epoch, steps_an_epoch,
                             options.schedule_epochs == 0 ? options.epochs : options.schedule_epochs};
  fit.clip_norm = apart ? 0 : options.clip_norm;
  fit.checkpoint = options.checkpoint;
  fit.log = options.log;
  fit.signals = options.signals;
  fit.progress = options.progress;
  fit.about = about(options, examples, train.members().name());

  found<Supernet> out;
  out.settings = settings;
  out.training = train::fit(net, *rule, batches, loss, fit, hooks);
  const auto epochs_done = static_cast<std::size_t>(out.training.steps / steps_an_epoch);
  out.shares = trace_of(shares, epochs_done + 1);
  out.points = out.shares.largest(epochs_done);
  if (validation != nullptr && options.candidates > 1 && out.training.stopped != train::stop::signal) {
    double best = 0;
    for (const auto& points : likeliest(out.shares, epochs_done, options.candidates)) {
      const double scored = loss_at(net, points, examples, held, options);
      if (out.candidates.empty() || scored < best) {
        best = scored;
        out.points = points;
      }
      out.candidates.push_back({points, scored});
    }
  }
  return out;
}

}  // namespace detail

/// Searches a backbone's convolutions: trains the supernet, weights and architecture together, and takes in
/// each searched place the point with the largest share, or of the likeliest architectures the one with which
/// the trained supernet does best on the validation part.
///
/// With a checkpoint file a search that was ended goes on when it is called again with the same options.
/// Source: Shen, Khodak and Talwalkar, "Efficient Architecture Search for Diverse Tasks", NeurIPS 2022.
///
/// @tparam Supernet  a backbone with `dash::mixed` in its places; built for the channels and classes of the
/// data
/// @param train       what weights and architecture learn from
/// @param validation  what chooses among candidates, or moves the shares, where options ask for it
/// @throws usage_error for options that do not fit together
/// @throws data_error  for a part without examples, or a checkpoint of another search
template <nn::layer_type Supernet>
found<Supernet> search(const data::train_examples& train, const data::validation_examples& validation,
                       const search_options& options = {}) {
  return detail::search<Supernet>(train, &validation, options);
}

/// The same; where options ask for a validation part, a tenth of the training part, drawn by the seed, is
/// held out for it.
template <nn::layer_type Supernet>
found<Supernet> search(const data::train_examples& train, const search_options& options = {}) {
  if (options.candidates <= 1 && options.alpha == learned_from::train)
    return detail::search<Supernet>(train, nullptr, options);
  constexpr double kShare = 0.1;
  const auto [most, held] = data::hold_out(train, kShare, options.seed);
  return detail::search<Supernet>(most, &held, options);
}

}  // namespace fmsb::dash
