#pragma once
#include "fmsb/core/error.hpp"   // usage_error, data_error
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/tensor.hpp"    // tensor

#include <ATen/ops/argmax.h>    // at::argmax
#include <ATen/ops/full.h>      // at::full
#include <ATen/ops/isfinite.h>  // at::isfinite

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <span>     // std::span
#include <string>   // std::string, std::to_string
#include <vector>   // std::vector

/// What classifiers on a matrix of features have in common.
namespace fmsb::models::detail {

inline void require_matrix(const char* who, const tensor& features) {
  if (!features.defined() || features.dim() != 2 || !features.device().is_cpu() ||
      (features.scalar_type() != at::kFloat && features.scalar_type() != at::kDouble))
    throw usage_error(std::string(who) +
                      ": features must be a matrix [examples, features] of floats or doubles "
                      "on the CPU.");
}

inline void require_examples(const char* who, const tensor& features, std::size_t labels) {
  require_matrix(who, features);
  if (features.size(0) != static_cast<index_t>(labels) || labels < 2 || features.size(1) == 0)
    throw usage_error(std::string(who) + ": a matrix of " + std::to_string(features.size(0)) + " x " +
                      std::to_string(features.size(1)) + " features was given with " +
                      std::to_string(labels) +
                      " labels; give a label a row, two rows and a feature at least.");
  // A sum is finite only if all its terms are; unlike a mask it takes no memory.
  if (!at::isfinite(features.sum()).item<bool>())
    throw data_error(std::string(who) + ": a feature is not finite; fill gaps before the fit.");
}

inline void require_features(const char* who, const tensor& features, const tensor& weights) {
  require_matrix(who, features);
  if (!weights.defined()) throw usage_error(std::string(who) + ": call fit before asking for scores.");
  if (features.size(1) != weights.size(0) || features.scalar_type() != weights.scalar_type())
    throw usage_error(std::string(who) + ": " + std::to_string(features.size(1)) + " features of type " +
                      c10::toString(features.scalar_type()) + " were given where the fit had " +
                      std::to_string(weights.size(0)) + " of type " + c10::toString(weights.scalar_type()) +
                      ".");
}

/// [examples]; of one class at least.
inline tensor label_tensor(const char* who, std::span<const int> labels, std::size_t classes) {
  auto out = at::empty({static_cast<index_t>(labels.size())}, at::TensorOptions().dtype(at::kLong));
  auto* const to = out.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes)
      throw usage_error(std::string(who) + ": example " + std::to_string(i + 1) + " has the label " +
                        std::to_string(labels[i]) + ", but there are " + std::to_string(classes) +
                        " classes, numbered from 0.");
    to[i] = labels[i];
  }
  return out;
}

/// [examples, classes]: 1 for the class, -1 for the others.
inline tensor one_vs_rest_targets(const char* who, std::span<const int> labels, std::size_t classes,
                                  const at::TensorOptions& options) {
  const auto classes_of = label_tensor(who, labels, classes);
  return at::full({classes_of.size(0), static_cast<index_t>(classes)}, -1.0, options)
      .scatter_(1, classes_of.unsqueeze(1), 1.0);
}

inline std::vector<int> predictions(const tensor& scores) {
  const auto best = scores.argmax(1).contiguous();
  const auto* const from = best.const_data_ptr<std::int64_t>();
  return {from, from + best.numel()};
}

/// How often the highest score and the highest target are of one class.
inline double share_right(const tensor& scores, const tensor& targets) {
  return scores.argmax(1).eq(targets.argmax(1)).to(at::kDouble).mean().item<double>();
}

}  // namespace fmsb::models::detail
