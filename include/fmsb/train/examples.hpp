#pragma once
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/core/extent.hpp"    // index_t
#include "fmsb/data/labelled.hpp"  // labelled_part, class_weights
#include "fmsb/nn/module.hpp"      // module

#include <ATen/ops/cat.h>                 // at::cat
#include <ATen/ops/cross_entropy_loss.h>  // at::cross_entropy_loss
#include <ATen/ops/from_blob.h>           // at::from_blob

#include <algorithm>   // std::copy, std::min
#include <functional>  // std::function
#include <string>      // std::string
#include <vector>      // std::vector

namespace fmsb::train {

/// Labelled examples as tensors.
struct example_tensors {
  tensor x;        ///< [examples, shape...], float
  tensor y;        ///< [examples], int64
  tensor weights;  ///< [classes], that make each class count alike; undefined where they were not asked for
};

/// Whether rare classes count more.
enum class class_balance { as_is, equal };

/// @throws data_error for a part without examples
template <data::role R>
example_tensors tensors_of(const data::labelled_part<R>& part, class_balance balance = class_balance::as_is,
                           at::Device device = at::kCPU) {
  const auto& all = part.members();
  if (all.size() == 0) throw data_error(all.name() + ": the " + data::name_of(R) + " part has no examples.");
  std::vector<index_t> sizes{static_cast<index_t>(all.size())};
  for (const auto extent : all.shape()) sizes.push_back(static_cast<index_t>(extent));
  example_tensors out;
  out.x = at::from_blob(const_cast<float*>(all.values().data()), sizes, at::kFloat).clone().to(device);
  out.y = at::empty({sizes[0]}, at::kLong);
  std::copy(all.labels().begin(), all.labels().end(), out.y.template mutable_data_ptr<index_t>());
  out.y = out.y.to(device);
  if (balance == class_balance::equal) {
    auto weights = data::class_weights(part);
    out.weights = at::from_blob(weights.data(), {static_cast<index_t>(weights.size())}, at::kDouble)
                      .to(device, at::kFloat, false, true);
  }
  return out;
}

/// What changes a batch [batch, shape...] before each training step, and not its classes. It draws from
/// LibTorch's generator, so that a resumed training draws the same.
using augmentation = std::function<tensor(const tensor&)>;

/// Cross-entropy of a model's logits.
struct classification_loss {
  example_tensors examples;
  double label_smoothing = 0;
  augmentation change{};

  /// @param rows  [batch] int64
  template <class Model>
  tensor operator()(Model& model, const tensor& rows) const {
    auto x = examples.x.index_select(0, rows);
    if (change) x = change(x);
    return at::cross_entropy_loss(model->forward(x), examples.y.index_select(0, rows), examples.weights,
                                  at::Reduction::Mean, /*ignore_index=*/-100, label_smoothing);
  }
};

/// A model's outputs for all examples, in eval mode and without gradients; the mode is restored.
/// @param x  [examples, shape...]
/// @return [examples, ...]
template <nn::layer_type T>
tensor outputs_of(nn::module<T>& model, const tensor& x, index_t batch = 256) {
  const torch::NoGradGuard no_gradient;
  const bool trained = model->is_training();
  model->eval();
  std::vector<tensor> parts;
  for (index_t first = 0; first < x.size(0); first += batch)
    parts.push_back(model->forward(x.slice(0, first, std::min(first + batch, x.size(0)))));
  model->train(trained);
  return at::cat(parts);
}

/// The class with the largest logit of each row. @param logits  [examples, classes]
inline std::vector<int> classes_of(const tensor& logits) {
  const auto best = logits.argmax(1).to(at::kCPU, at::kInt).contiguous();
  return {best.const_data_ptr<int>(), best.const_data_ptr<int>() + best.numel()};
}

}  // namespace fmsb::train
