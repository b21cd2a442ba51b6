#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // extent, chosen_extent, dynamic, index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/counts.hpp"         // product_of
#include "fmsb/nn/initialise.hpp"     // filled
#include "fmsb/nn/layer.hpp"          // layer
#include "fmsb/nn/layer_norm.hpp"     // norm_extents

#include <string>  // std::string

namespace fmsb::nn {

struct batch_norm_options {
  double eps = 1e-5;      ///< added to the variance
  double momentum = 0.1;  ///< share of the present batch in the running statistics
  bool affine = true;     ///< a gain and a bias
  friend bool operator==(const batch_norm_options&, const batch_norm_options&) = default;
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, a channel at a time. When training, mean and
/// variance are those of the batch and its positions, and the running statistics move towards them; in eval
/// mode they are the running ones (Ioffe and Szegedy, "Batch Normalization", ICML 2015, algorithms 1 and 2).
///
/// Registers the parameters `weight` [features] at one and `bias` [features] at zero, and the buffers
/// `running_mean` [features] at zero, `running_var` [features] at one and `num_batches_tracked` [] (int64),
/// as LibTorch's BatchNorm1d and BatchNorm2d do.
///
/// @tparam Axes      positions of the input: 1 for [batch, features(, length)], 2 for images
/// @tparam Features  channels, or `dynamic`
template <int Axes, index_t Features = dynamic, batch_norm_options Options = {}>
class batch_norm : public layer {
  static_assert(Axes == 1 || Axes == 2,
                "fmsb::nn::batch_norm<Axes, ...> takes inputs with 1 or 2 axes of positions");
  static_assert(Options.eps >= 0 && Options.momentum >= 0 && Options.momentum <= 1,
                "fmsb::nn::batch_norm requires an eps from 0 on and a momentum from 0 to 1");

 public:
  using extents_type = norm_extents;
  using plain = batch_norm;
  static constexpr batch_norm_options options = Options;
  static constexpr bool has_weight = Options.affine, has_bias = Options.affine;
  static constexpr index_t features = Features;
  static constexpr int spatial_axes = Axes;
  static constexpr index_t parameter_count = Options.affine ? product_of(2, Features) : 0;
  static constexpr index_t multiply_adds = Features;
  static constexpr index_t receptive_field = 1;  ///< in eval mode

  tensor weight;               ///< [features]; undefined without the affine map
  tensor bias;                 ///< [features]; undefined without the affine map
  tensor running_mean;         ///< [features]
  tensor running_var;          ///< [features], of the sample
  tensor num_batches_tracked;  ///< [], batches seen when training

  batch_norm() requires(Features != dynamic) : batch_norm(norm_extents{}) {}
  /// @throws usage_error if neither the type nor the argument says the features, or they differ
  explicit batch_norm(norm_extents given)
      : features_(chosen_extent<Features>("nn::batch_norm", "features", given.features)) {}

  void reset() override {
    if constexpr (Options.affine) {
      weight = register_parameter("weight", filled({features_}, 1));
      bias = register_parameter("bias", filled({features_}, 0));
    }
    running_mean = register_buffer("running_mean", filled({features_}, 0));
    running_var = register_buffer("running_var", filled({features_}, 1));
    num_batches_tracked = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
  }

  using layer::to;
  /// As LibTorch's, but the count of batches stays an int64.
  void to(torch::Dtype type, bool non_blocking = false) override {
    const auto count = num_batches_tracked.clone();
    layer::to(type, non_blocking);
    num_batches_tracked.set_data(count);
  }
  void to(torch::Device device, torch::Dtype type, bool non_blocking = false) override {
    const auto count = num_batches_tracked.clone();
    layer::to(device, type, non_blocking);
    num_batches_tracked.set_data(count.to(device));
  }

  norm_extents extents() const { return {.features = features_}; }

  /// @param x  [batch, features(, length)] or [batch, features, height, width]
  /// @return the same shape
  /// @throws usage_error for another number of axes or channels, or one value a channel when training
  tensor forward(const tensor& x) const {
    const bool known = x.dim() == Axes + 2 || (Axes == 1 && x.dim() == 2);
    if (!known || x.size(1) != features_)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        "; it takes [batch, " + std::to_string(index_t{features_}) +
                        (Axes == 1 ? "] with or without a length." : ", height, width]."));
    if (!is_training())
      return at::batch_norm(x, weight, bias, running_mean, running_var, false, Options.momentum, Options.eps,
                            true);
    if (x.numel() <= features_)
      throw usage_error(describe() + " was given an input of shape " + detail::shape_text(x) +
                        " when training, which leaves each channel one value and no variance. Give a larger "
                        "batch, or call eval().");
    num_batches_tracked.add_(1);
    return at::batch_norm(x, weight, bias, running_mean, running_var, true, Options.momentum, Options.eps,
                          true);
  }

  std::string describe() const override {
    return "batch_norm" + std::to_string(Axes) + "d(features=" + std::to_string(index_t{features_}) +
           ", eps=" + number_text(Options.eps) + ", momentum=" + number_text(Options.momentum) +
           (Options.affine ? ")" : ", affine=no)");
  }

 private:
  [[no_unique_address]] extent<Features> features_;
};

}  // namespace fmsb::nn
