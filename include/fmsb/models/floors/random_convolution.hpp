#pragma once
#include "fmsb/core/error.hpp"                      // usage_error
#include "fmsb/core/extent.hpp"                     // index_t
#include "fmsb/core/shuffled.hpp"                   // shuffled
#include "fmsb/data/labelled.hpp"                   // labelled_set, train_examples
#include "fmsb/models/floors/pooling_grid.hpp"      // pooling_grid
#include "fmsb/models/floors/random_kernels.hpp"    // random_kernels
#include "fmsb/models/floors/ridge_classifier.hpp"  // ridge_classifier
#include "fmsb/nn/parallel_for.hpp"                 // parallel_for
#include "fmsb/nn/tensor.hpp"                       // tensor
#include "fmsb/space/conv_space.hpp"                // dilation_of
#include "fmsb/space/space.hpp"                     // search_space

#include <algorithm>  // std::max_element, std::sort
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::models {

struct random_convolution_options {
  std::size_t kernels = 3000;  ///< together; each shape gets its share
  std::uint64_t seed = 0;
  /// In how many equal parts an axis may be pooled, of which leave-one-out chooses; each divides the largest.
  /// Empty: 1, 2, 4, 6, 12 over one axis, 1, 2, 4 over two.
  std::vector<std::size_t> segments = {};
  std::size_t choose_on = 1024;  ///< training examples, drawn, on which segments are chosen; all are fitted
  std::size_t step = 2;          ///< over two axes, between the places that are looked at, on either axis
  ridge_options ridge = {};
};

/// Untrained random kernels and ridge regression on what their outputs come to: a floor in seconds for
/// classifiers of series, sequences and images. What `random_convolution` does once its space is a list.
class random_convolution_classifier {
 public:
  /// @throws usage_error where numbers of segments do not divide the largest
  random_convolution_classifier(std::vector<kernel_shape> shapes, random_convolution_options options)
      : shapes_(std::move(shapes)), options_(std::move(options)), ridge_(options_.ridge) {
    for (const auto s : options_.segments)
      if (s == 0 || largest(options_.segments) % s != 0)
        throw usage_error("random_convolution: " + std::to_string(s) +
                          " segments do not divide the largest number, " +
                          std::to_string(largest(options_.segments)) +
                          "; give numbers that do, for few segments are pooled from many.");
  }

  /// Draws the kernels, chooses segments and strength, and solves. Memory: 4 bytes a feature and example, and
  /// three times 4 n^2.
  /// @throws usage_error for arrays that are neither {channels, length} nor {channels, height, width}, and
  /// for more segments than places; data_error for numbers that are not finite
  void fit(const data::train_examples& train) {
    const auto& all = train.members();
    kernels_.emplace(all, shapes_, options_.kernels, options_.seed, options_.step);
    auto choices = options_.segments;
    if (choices.empty() && kernels_->frame().two_axes) choices = {1, 2, 4};
    if (choices.empty()) choices = {1, 2, 4, 6, 12};
    const bool some = choices.size() > 1 && options_.choose_on < all.size();
    auto rows = shuffled(all.size(), options_.seed, 1);
    if (some) rows.resize(options_.choose_on);
    std::sort(rows.begin(), rows.end());
    ridge_ = choose(some ? all.subset(rows) : all, choices);
    if (!some) return;
    // The strength that suits some examples, per squared length of a row, suits all to a factor of about 2.
    const double near = ridge_.chosen_strength();
    ridge_ = fitted(all, features(all), {.lowest = near / 4, .highest = near * 4, .at_once = 4, .rounds = 1});
  }

  /// [examples, classes], near 1 for the class and near -1 for the others.
  /// @throws usage_error before `fit`, and for arrays of another shape
  tensor scores(const data::labelled_set& of) const { return ridge_.scores(features(of)); }
  /// The class of the highest score of each example.
  std::vector<int> predict(const data::labelled_set& of) const { return detail::predictions(scores(of)); }

  /// [examples, features], float, not standardised: blocks of 32 kernels, of each the sum pooled in every
  /// cell, then the maxima.
  tensor features(const data::labelled_set& of) const {
    if (!kernels_) throw usage_error("random_convolution: call fit before asking for scores.");
    return pooled(of, *grid_, {&*grid_, 1}).front();
  }

  std::size_t chosen_segments() const { return grid_ ? grid_->parts : 0; }
  double chosen_lambda() const { return ridge_.chosen_lambda(); }
  double leave_one_out_accuracy() const { return ridge_.leave_one_out_accuracy(); }
  const ridge_classifier& ridge() const { return ridge_; }

 private:
  static std::size_t largest(const std::vector<std::size_t>& of) {
    return *std::max_element(of.begin(), of.end());
  }

  /// Features on each of the grids, from one pass of the kernels on a fine one.
  std::vector<tensor> pooled(const data::labelled_set& of, const pooling_grid& fine,
                             std::span<const pooling_grid> grids) const {
    if (!kernels_->frame().fits(of.shape()))
      throw usage_error("random_convolution: " + of.name() +
                        " holds arrays of another shape than the training part.");
    const auto n = static_cast<index_t>(of.size());
    const std::size_t blocks = kernels_->blocks().size();
    std::vector<tensor> out;
    std::vector<float*> to;
    for (const auto& grid : grids) {
      out.push_back(at::empty({n, static_cast<index_t>(blocks * grid.feature_floats())}, at::kFloat));
      to.push_back(out.back().mutable_data_ptr<float>());
    }
    nn::parallel_for(n, 1, [&](index_t begin, index_t end) {
      padded_example x(kernels_->frame());
      std::vector<float> cells(blocks * fine.pooled_floats());
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        x.hold(of.values(i));
        kernels_->pool(x, fine, cells.data());
        for (std::size_t g = 0; g < grids.size(); ++g)
          for (std::size_t b = 0; b < blocks; ++b)
            grids[g].features(fine, cells.data() + b * fine.pooled_floats(),
                              to[g] + (i * blocks + b) * grids[g].feature_floats());
      }
    });
    return out;
  }

  /// Sets the grid of the lowest leave-one-out error; the classifier that was fitted on it.
  ridge_classifier choose(const data::labelled_set& of, const std::vector<std::size_t>& choices) {
    const pooling_grid fine(kernels_->frame(), largest(choices));
    std::vector<pooling_grid> grids;
    for (const auto parts : choices) grids.emplace_back(kernels_->frame(), parts);
    auto features = pooled(of, fine, grids);
    std::optional<ridge_classifier> best;
    for (std::size_t g = 0; g < grids.size(); ++g) {
      auto found = fitted(of, features[g], options_.ridge);
      features[g] = tensor();
      if (best && best->leave_one_out_error() <= found.leave_one_out_error()) continue;
      best = std::move(found);
      grid_ = grids[g];
    }
    return *best;
  }

  static ridge_classifier fitted(const data::labelled_set& of, const tensor& features,
                                 ridge_options options) {
    ridge_classifier out(options);
    out.fit_in_place(features, of.labels(), of.classes_count());
    return out;
  }

  std::vector<kernel_shape> shapes_;
  random_convolution_options options_;
  std::optional<random_kernels> kernels_;
  std::optional<pooling_grid> grid_;
  ridge_classifier ridge_;
};

/// A floor for convolutional networks of a space: kernels drawn at random for each of its points, never
/// trained, then ridge regression. Over one axis an output leaves its maximum and its share of positives in
/// each segment, over two the mean of max(output, 0) in each cell and one maximum.
///
/// The same seed gives the same kernels and features to the bit on one machine, at any number of threads; the
/// scores to the rounding of float sums (2e-3).
///
/// Source: Dempster, Petitjean and Webb, "ROCKET: exceptionally fast and accurate time series classification
/// using random convolutional kernels", Data Mining and Knowledge Discovery 34 (2020); the segments are this
/// library's, for sequences that are aligned.
///
/// @tparam Space  has an axis "kernel" and may have "dilation": product<kernel_sizes<5, 7>, dilations<1, 3>>
template <space::search_space Space>
class random_convolution : public random_convolution_classifier {
  static_assert(Space::point_type::template has<"kernel">,
                "fmsb::models::random_convolution: the space needs an axis named \"kernel\", such as "
                "space::kernel_sizes<5, 7, 9>");

 public:
  explicit random_convolution(random_convolution_options options = {})
      : random_convolution_classifier(shapes(), std::move(options)) {}

  static std::vector<kernel_shape> shapes() {
    std::vector<kernel_shape> out;
    for (std::size_t i = 0; i < Space::size; ++i)
      out.push_back({space::get<"kernel">(Space::make(i)), space::dilation_of(Space::make(i))});
    return out;
  }
};

}  // namespace fmsb::models
