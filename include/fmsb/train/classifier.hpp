#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/data/labelled.hpp"     // train_examples, validation_examples
#include "fmsb/train/examples.hpp"    // tensors_of, classification_loss, outputs_of
#include "fmsb/train/fit.hpp"         // fit
#include "fmsb/train/optimiser.hpp"   // optimiser, make_optimiser
#include "fmsb/train/sampler.hpp"     // full_batches

#include <cstdint>     // std::uint64_t
#include <functional>  // std::function
#include <string>      // std::string

namespace fmsb::train {

/// A score of logits [examples, classes] against labels [examples], lower is better.
using logits_score = std::function<double(const tensor& logits, const tensor& labels)>;

/// The mean cross-entropy.
inline double mean_cross_entropy(const tensor& logits, const tensor& labels) {
  return at::cross_entropy_loss(logits, labels).item<double>();
}

/// How a classifier is trained. The defaults are those under which the 1-D networks of DASH do well in a few
/// epochs; the rate falls by half a cosine to 0.
struct classifier_options {
  std::uint64_t epochs = 30;
  index_t batch = 128;
  optimiser by = optimiser::sgd;
  double rate = 0.1;
  double weight_decay = 5e-4;
  schedule rate_by_epoch{cosine_rate{}};  ///< factor of the rate, its steps being epochs
  double clip_norm = 1;                   ///< largest norm of all gradients together; 0: any
  double label_smoothing = 0;
  class_balance balance = class_balance::as_is;
  augmentation change{};
  logits_score score = mean_cross_entropy;  ///< of the validation part, after each epoch: the best is kept
  std::uint64_t seed = 0;                   ///< of the order of examples
  checkpoint_options checkpoint{};
  log_options log{};
  on_signal signals = on_signal::save_and_stop;
  std::string progress{};  ///< what the progress line calls the training; empty: no line
  std::string about{};     ///< what else a checkpoint must agree on
};

/// Trains a classifier and leaves it with the numbers of its best epoch by the validation part.
///
/// @param model  maps [batch, shape...] to logits [batch, classes]; on the device on which it is to be
/// trained
/// @throws usage_error, data_error as `fit`; data_error for a part without examples
template <nn::layer_type T>
history fit_classifier(nn::module<T>& model, const data::train_examples& train,
                       const data::validation_examples& validation, const classifier_options& options = {}) {
  const auto device = model->parameters().front().device();
  const auto examples = tensors_of(train, options.balance, device);
  const auto held = tensors_of(validation, class_balance::as_is, device);
  auto batches = full_batches(examples.x.size(0), options.batch, options.seed);
  const auto steps_an_epoch = batches.batches_an_epoch();
  const auto rule = make_optimiser(options.by, options.weight_decay, {{trainable(model), options.rate}});

  hooks<nn::module<T>> with;
  with.validate = [&](auto& m) { return options.score(outputs_of(m, held.x), held.y); };
  fit_options fit;
  fit.epochs = options.epochs;
  fit.rate = by_epoch{options.rate_by_epoch, steps_an_epoch, options.epochs};
  fit.clip_norm = options.clip_norm;
  fit.validation.every = steps_an_epoch;
  fit.checkpoint = options.checkpoint;
  fit.log = options.log;
  fit.signals = options.signals;
  fit.progress = options.progress;
  fit.about = "classifier on " + train.members().name() + " " + nn::detail::shape_text(examples.x) +
              ", label_smoothing " + number_text(options.label_smoothing) + ", seed " +
              std::to_string(options.seed) + (options.about.empty() ? "" : ", " + options.about);
  const classification_loss loss{examples, options.label_smoothing, options.change};
  return train::fit(model, *rule, batches, loss, fit, with);
}

}  // namespace fmsb::train
