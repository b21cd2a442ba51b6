#pragma once
#include "fmsb/adapt/adapted.hpp"  // linear_map
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/nn/layer.hpp"       // shape_text

#include <string>  // std::to_string

/// What the adapters of a linear layer share.
namespace fmsb::adapt {

/// A linear layer, plain or adapted: y = x W' + b on the last axis. Not a convolution, nor the table of an
/// embedding.
template <class T>
concept linear_layer = linear_map<T> && T::spatial_axes == 0 && !requires {
  T::is_table;
};

namespace detail {

/// Runs `work`, which maps rows [rows, in] to [rows, out], on the last axis of x [..., in].
template <class Work>
tensor on_rows(const tensor& x, const tensor& weight, Work&& work) {
  const auto in = weight.size(1);
  if (x.dim() == 0 || x.size(-1) != in)
    throw usage_error("An adapted linear layer with in=" + std::to_string(in) +
                      " was given an input of shape " + nn::detail::shape_text(x) +
                      "; the last axis must have " + std::to_string(in) + " features.");
  if (x.dim() == 2) return work(x);
  auto sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  // Not -1 for the rows: an empty axis would leave it open.
  return work(x.reshape({in == 0 ? 0 : x.numel() / in, in})).view(sizes);
}

/// Whether no gradient is wanted for the layer under an adapter.
inline bool frozen_base(const tensor& weight, const tensor& bias) {
  return !weight.requires_grad() && !(bias.defined() && bias.requires_grad());
}

}  // namespace detail
}  // namespace fmsb::adapt
