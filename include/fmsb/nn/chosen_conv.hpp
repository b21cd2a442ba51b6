#pragma once
#include "fmsb/core/dispatch.hpp"     // dispatch
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // dynamic, index_t
#include "fmsb/nn/conv_at.hpp"        // conv_at, conv_at_options
#include "fmsb/space/conv_space.hpp"  // receptive_field
#include "fmsb/space/space.hpp"       // search_space

#include <cstddef>  // std::size_t
#include <memory>   // std::shared_ptr
#include <string>   // std::string, std::to_string

namespace fmsb::nn {

/// The convolution of a point of a space that is chosen when the layer is built: by a jump table over the
/// `conv_at` of all points, of which the chosen one holds the numbers. What it computes, registers, draws and
/// describes is that one's, so its files are those of the layer whose type fixes the point.
///
/// @tparam Axes     1 or 2
/// @tparam Space    points with an axis "kernel" and perhaps one named "dilation"
/// @tparam In, Out  channels, or `dynamic`
template <int Axes, space::search_space Space, index_t In, index_t Out, conv_at_options Options = {}>
class chosen_conv : public layer {
  // Extents are run-time numbers below, so that layers of one space share the code of its points.
  template <std::size_t Index>
  using typed = conv_at<Axes, Space::at(Index), dynamic, dynamic, Options>;

 public:
  using space_type = Space;
  static constexpr conv_at_options options = Options;
  static constexpr index_t in_features = In, out_features = Out;
  static constexpr int spatial_axes = Axes;
  static constexpr index_t parameter_count = dynamic, multiply_adds = dynamic, receptive_field = dynamic;
  static constexpr index_t stride = Options.stride;

  tensor weight;  ///< [out, in / groups, kernel(, kernel)]
  tensor bias;    ///< [out]; undefined without a bias

  /// @param point  its index in the space
  /// @throws usage_error if the space has no such point, or for extents as `conv_at` does
  explicit chosen_conv(std::size_t point, conv_extents given = {})
      : point_(point),
        extents_{chosen_extent<In>("nn::chosen_conv", "in", given.in),
                 chosen_extent<Out>("nn::chosen_conv", "out", given.out)} {
    if (point >= Space::size)
      throw usage_error("fmsb::nn::chosen_conv: point " + std::to_string(point) + " of a space of " +
                        std::to_string(Space::size) + " points was given; they are counted from 0.");
    dispatch<Space::size>(point_, [this](auto index) { this->template declare<typed<index()>>(); });
  }

  void reset() override {
    dispatch<Space::size>(point_, [this](auto index) {
      this->template declare<typed<index()>>();  // anew: a clone shares nothing with its original
      auto& single = static_cast<typed<index()>&>(*typed_);
      single.reset();
      weight = register_parameter("weight", single.weight);
      if (single.bias.defined()) bias = register_parameter("bias", single.bias);
    });
  }

  std::size_t point() const { return point_; }
  conv_extents extents() const { return extents_; }
  /// Positions along one axis that an output sees.
  index_t field() const { return space::receptive_field(Space::at(point_)); }

  /// @param x  [batch, in, length] or [batch, in, height, width]; the batch axis may be absent
  /// @return [batch, out, positions...], every stride-th of each axis
  /// @throws usage_error as the point's `conv_at` does
  tensor forward(const tensor& x) const { return forward_(*typed_, x); }

  std::string describe() const override { return typed_->describe(); }

 private:
  template <class Typed>
  void declare() {
    typed_ = std::make_shared<Typed>(extents_);
    forward_ = [](const layer& of, const tensor& x) { return static_cast<const Typed&>(of).forward(x); };
  }

  std::size_t point_;
  conv_extents extents_;
  std::shared_ptr<layer> typed_;
  tensor (*forward_)(const layer&, const tensor&) = nullptr;
};

}  // namespace fmsb::nn
