#pragma once
#include "fmsb/core/extent.hpp"   // index_t
#include "fmsb/nn/composite.hpp"  // child, composite
#include "fmsb/nn/conv.hpp"       // conv1d
#include "fmsb/nn/linear.hpp"     // linear

#include <ATen/ops/adaptive_avg_pool1d.h>  // at::adaptive_avg_pool1d
#include <ATen/ops/adaptive_avg_pool2d.h>  // at::adaptive_avg_pool2d
#include <ATen/ops/adaptive_max_pool1d.h>  // at::adaptive_max_pool1d
#include <ATen/ops/adaptive_max_pool2d.h>  // at::adaptive_max_pool2d
#include <ATen/ops/cat.h>                  // at::cat

#include <string>  // std::string, std::to_string
#include <tuple>   // std::get

/// What turns the feature maps of a backbone into an answer.
namespace fmsb::models {

/// Classes from the mean over all positions; or from mean and maximum over a few segments of each axis, which
/// keeps where something was found: in aligned sequences the place is half of the answer.
///
/// @tparam Axes      1 or 2
/// @tparam Segments  of each axis; 0: the mean over all positions and nothing else, the released head
template <int Axes, index_t Channels, index_t Classes, index_t Segments>
class pooled_classifier
    : public nn::composite<nn::child<
          "linear", nn::linear<Segments == 0 ? Channels : 2 * Channels * Segments*(Axes == 1 ? 1 : Segments),
                               Classes>>> {
  static_assert(Segments >= 0, "fmsb::models::pooled_classifier: segments are 0 or more of each axis");

 public:
  pooled_classifier() = default;
  /// @param classes  where the type does not fix them
  explicit pooled_classifier(index_t classes)
      : pooled_classifier::composite(
            typename pooled_classifier::template child_type<"linear">(nn::linear_extents{.out = classes})) {}

  static constexpr index_t multiply_adds_for(index_t) { return pooled_classifier::multiply_adds; }

  /// @param x  [batch, channels, positions...]
  /// @return [batch, classes]
  tensor forward(const tensor& x) const { return this->template at<"linear">().forward(pooled(x)); }

 protected:
  std::string title() const override {
    return Segments == 0 ? "mean_classifier" : "segment_classifier(" + std::to_string(Segments) + ")";
  }

 private:
  static tensor pooled(const tensor& x) {
    if constexpr (Segments == 0)
      return x.flatten(2).mean(2);
    else if constexpr (Axes == 1)
      return at::cat({at::adaptive_avg_pool1d(x, Segments).flatten(1),
                      std::get<0>(at::adaptive_max_pool1d(x, Segments)).flatten(1)},
                     1);
    else
      return at::cat({at::adaptive_avg_pool2d(x, {Segments, Segments}).flatten(1),
                      std::get<0>(at::adaptive_max_pool2d(x, {Segments, Segments})).flatten(1)},
                     1);
  }
};

/// Forecasts from all positions of a series: one number a position, then a linear map over time.
template <index_t Channels, index_t Length, index_t Horizon>
class forecast_head : public nn::composite<nn::child<"mix", nn::conv1d<Channels, 1, 1>>,
                                           nn::child<"linear", nn::linear<Length, Horizon>>> {
 public:
  forecast_head() = default;
  explicit forecast_head(index_t) {}  ///< a forecast has no classes

  static constexpr index_t multiply_adds_for(index_t) { return Length * Channels + Length * Horizon; }

  /// @param x  [batch, channels, length]
  /// @return [batch, horizon]
  tensor forward(const tensor& x) const {
    return this->template at<"linear">().forward(this->template at<"mix">().forward(x).squeeze(1));
  }

 protected:
  std::string title() const override { return "forecast_head"; }
};

}  // namespace fmsb::models
