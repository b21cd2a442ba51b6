#include "classifier.hpp"

#include "fmsb/nn/state_dict.hpp"           // save_state
#include "fmsb/search/dash/retraining.hpp"  // released_training
#include "fmsb/train/classifier.hpp"        // fit_classifier

#include "augment.hpp"  // augmentation_of

#include <ATen/ops/softmax.h>  // at::softmax

driver::training_outcome driver::trained(const classifier& made, int axes,
                                         const fmsb::data::train_examples& train,
                                         const fmsb::data::validation_examples& validation,
                                         const fmsb::data::labelled_set& scored,
                                         const training_wishes& wanted) {
  auto of = wanted.released ? fmsb::dash::released_training(axes) : fmsb::train::classifier_options();
  of.epochs = wanted.epochs;
  of.batch = wanted.batch;
  of.rate = wanted.rate;
  of.weight_decay = wanted.weight_decay;
  of.label_smoothing = wanted.label_smoothing;
  of.change = augmentation_of(wanted.augment);
  of.balance = wanted.equal_classes ? fmsb::train::class_balance::equal : fmsb::train::class_balance::as_is;
  of.seed = wanted.seed;
  of.checkpoint = {.file = wanted.checkpoint, .every = wanted.checkpoint_every};
  of.log.file = wanted.log;
  of.progress = wanted.progress;
  of.about = wanted.about;

  torch::manual_seed(wanted.seed);
  fmsb::nn::module<classifier> net(made.maker());
  training_outcome out;
  out.training = fmsb::train::fit_classifier(net, train, validation, of);
  for (const auto& p : net->parameters()) out.parameters += p.numel();
  if (out.training.stopped == fmsb::train::stop::signal) return out;
  const auto given = fmsb::train::tensors_of(fmsb::data::test_examples(scored));
  const auto shares = at::softmax(fmsb::train::outputs_of(net, given.x), 1).contiguous();
  out.probabilities.assign(shares.const_data_ptr<float>(), shares.const_data_ptr<float>() + shares.numel());
  if (!wanted.weights.empty()) fmsb::nn::save_state(net->inner(), wanted.weights);
  return out;
}
