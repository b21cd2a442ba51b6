#pragma once
#include "fmsb/core/error.hpp"                  // usage_error
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/floors/class_scores.hpp"  // require_examples, label_tensor
#include "fmsb/nn/tensor.hpp"                   // tensor

#include <ATen/ops/topk.h>  // at::topk

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::pair
#include <vector>     // std::vector

namespace fmsb::models {

/// The classes of the k training examples that are nearest by Euclidean distance, from products of matrices:
/// |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, about the training mean, for the difference to lose few digits. Source:
/// Cover and Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 1967.
class nearest_neighbour {
 public:
  /// @throws usage_error unless k is positive
  explicit nearest_neighbour(int k = 1) : k_(k) {
    if (k < 1)
      throw usage_error("nearest_neighbour: " + std::to_string(k) +
                        " neighbours were asked for; give a positive number.");
  }

  /// Keeps a copy of the features, as they are: scale them first where their units differ.
  /// @param features  [examples, features], float or double
  /// @throws usage_error where the extents do not fit, a label is no class, or there are fewer examples than
  /// neighbours; data_error for numbers that are not finite
  void fit(const tensor& features, std::span<const int> labels, std::size_t classes) {
    detail::require_examples("nearest_neighbour", features, labels.size());
    detail::label_tensor("nearest_neighbour", labels, classes);
    if (static_cast<std::size_t>(k_) > labels.size())
      throw usage_error("nearest_neighbour: " + std::to_string(k_) + " neighbours of " +
                        std::to_string(labels.size()) + " examples were asked for; give fewer.");
    mean_ = features.detach().mean(0);
    across_ = (features.detach() - mean_).t();
    squares_ = across_.square().sum(0);
    labels_.assign(labels.begin(), labels.end());
    classes_ = classes;
  }

  /// [examples, k]: which training examples are nearest, the nearest first. Those at equal distance stand in
  /// an order that is the same from run to run, but otherwise not said.
  /// @throws usage_error before `fit`, and for another number or type of features
  tensor neighbours(const tensor& features) const {
    detail::require_features("nearest_neighbour", features, across_);
    constexpr index_t kRows = 1024;  // distances of so many at a time
    std::vector<tensor> found;
    for (index_t r = 0; r < features.size(0); r += kRows) {
      const auto rows = features.slice(0, r, std::min(features.size(0), r + kRows)) - mean_;
      // |a|^2 is the same for all neighbours of a
      const auto distance = at::addmm(squares_, rows, across_, 1, -2);
      found.push_back(std::get<1>(at::topk(distance, k_, 1, /*largest=*/false, /*sorted=*/true)));
    }
    return found.empty() ? at::empty({0, k_}, at::kLong) : at::cat(found);
  }

  /// [examples, classes], float: the share of the neighbours that are of each class.
  tensor scores(const tensor& features) const {
    const auto near = neighbours(features).contiguous();
    auto out = at::zeros({near.size(0), static_cast<index_t>(classes_)}, at::kFloat);
    const auto* from = near.const_data_ptr<std::int64_t>();
    auto* to = out.mutable_data_ptr<float>();
    for (index_t i = 0; i < near.size(0); ++i, to += classes_)
      for (int j = 0; j < k_; ++j)
        to[labels_[static_cast<std::size_t>(*from++)]] += 1 / static_cast<float>(k_);
    return out;
  }

  /// The class of most neighbours; of classes with equally many, that of the nearest.
  std::vector<int> predict(const tensor& features) const {
    const auto near = neighbours(features).contiguous();
    const auto* from = near.const_data_ptr<std::int64_t>();
    std::vector<int> out;
    for (index_t i = 0; i < near.size(0); ++i, from += k_) {
      std::vector<int> votes(classes_);
      int most = 0;
      for (int j = 0; j < k_; ++j)
        most = std::max(most, ++votes[static_cast<std::size_t>(labels_[static_cast<std::size_t>(from[j])])]);
      int j = 0;
      while (votes[static_cast<std::size_t>(labels_[static_cast<std::size_t>(from[j])])] < most) ++j;
      out.push_back(labels_[static_cast<std::size_t>(from[j])]);
    }
    return out;
  }

 private:
  int k_;
  std::size_t classes_ = 0;
  tensor mean_, across_, squares_;  // [features], [features, examples], [examples]
  std::vector<int> labels_;
};

}  // namespace fmsb::models
