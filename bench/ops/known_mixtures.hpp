#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor

#include <ATen/ops/conv1d.h>      // at::conv1d
#include <ATen/ops/conv2d.h>      // at::conv2d
#include <ATen/ops/einsum.h>      // at::einsum
#include <ATen/ops/fft_irfft.h>   // at::fft_irfft
#include <ATen/ops/fft_irfft2.h>  // at::fft_irfft2
#include <ATen/ops/fft_rfft.h>    // at::fft_rfft
#include <ATen/ops/fft_rfft2.h>   // at::fft_rfft2
#include <ATen/ops/pad.h>         // at::pad
#include <ATen/ops/zeros.h>       // at::zeros

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

/// The known ways to compute a mixture of convolutions, as a program on LibTorch has them: a weight for each
/// point.
namespace bench {

using fmsb::index_t;
using fmsb::tensor;

/// What they work on: leaves that stand for what our layer holds.
struct mixture {
  int axes = 1;
  index_t groups = 1;
  std::vector<index_t> kernels, dilations;
  std::vector<tensor> weights;  ///< [out, in / groups, kernel(, kernel)], kernels outside, dilations inside
  tensor a;                     ///< [points]
  index_t reach() const { return (kernels.back() - 1) / 2 * dilations.back(); }
};

inline tensor convolved(const mixture& m, const tensor& x, const tensor& weight, index_t dilation) {
  const index_t padding = dilation * (weight.size(-1) - 1) / 2;
  return m.axes == 1 ? at::conv1d(x, weight, {}, 1, padding, dilation, m.groups)
                     : at::conv2d(x, weight, {}, 1, padding, dilation, m.groups);
}

/// The weight with zeros between its taps, and around it up to `reach` on either side.
inline tensor spread(const mixture& m, const tensor& weight, index_t dilation, index_t reach) {
  const index_t field = dilation * (weight.size(-1) - 1) + 1, around = reach - field / 2;
  auto sizes = weight.sizes().vec();
  for (std::size_t axis = 2; axis < sizes.size(); ++axis) sizes[axis] = field;
  auto wide = weight;
  if (dilation > 1) {
    wide = at::zeros(sizes, weight.options());
    auto places = wide;
    for (index_t axis = 2; axis < wide.dim(); ++axis) places = places.slice(axis, 0, field, dilation);
    places.copy_(weight);
  }
  return at::pad(wide, std::vector<index_t>(static_cast<std::size_t>(2 * m.axes), around));
}

/// Each point's result, then their sum.
inline tensor mixed_results(const mixture& m, const tensor& x) {
  tensor y;
  std::size_t p = 0;
  for (std::size_t k = 0; k < m.kernels.size(); ++k)
    for (const index_t d : m.dilations) {
      const auto part = convolved(m, x, m.weights[p], d) * m.a[static_cast<index_t>(p)];
      y = p++ == 0 ? part : y + part;
    }
  return y;
}

inline tensor one_kernel(const mixture& m) {
  tensor sum;
  std::size_t p = 0;
  for (std::size_t k = 0; k < m.kernels.size(); ++k)
    for (const index_t d : m.dilations) {
      const auto part = spread(m, m.weights[p] * m.a[static_cast<index_t>(p)], d, m.reach());
      sum = p++ == 0 ? part : sum + part;
    }
  return sum;
}

/// One kernel that covers all points, then one convolution.
inline tensor mixed_weights(const mixture& m, const tensor& x) { return convolved(m, x, one_kernel(m), 1); }

/// DASH's: one kernel, and a product of Fourier transforms of length L + 2 reach.
inline tensor agg_conv(const mixture& m, const tensor& x) {
  const index_t reach = m.reach();
  const auto kernel = one_kernel(m);
  const auto wide = at::pad(x, std::vector<index_t>(static_cast<std::size_t>(2 * m.axes), reach));
  if (m.axes == 1) {
    const index_t n = wide.size(2);
    const auto of_x = at::fft_rfft(wide), of_kernel = at::fft_rfft(kernel, n).conj();
    const auto of_y =
        m.groups > 1 ? of_x * of_kernel.squeeze(1) : at::einsum("bif,oif->bof", {of_x, of_kernel});
    return at::fft_irfft(of_y, n).slice(2, 0, x.size(2));
  }
  const std::vector<index_t> n{wide.size(2), wide.size(3)};
  const auto of_x = at::fft_rfft2(wide), of_kernel = at::fft_rfft2(kernel, n).conj();
  const auto of_y =
      m.groups > 1 ? of_x * of_kernel.squeeze(1) : at::einsum("bifg,oifg->bofg", {of_x, of_kernel});
  return at::fft_irfft2(of_y, n).slice(2, 0, x.size(2)).slice(3, 0, x.size(3));
}

/// A convolution for each dilation, with the sum of its kernels.
inline tensor per_dilation(const mixture& m, const tensor& x) {
  tensor y;
  for (std::size_t d = 0; d < m.dilations.size(); ++d) {
    tensor sum;
    for (std::size_t k = 0; k < m.kernels.size(); ++k) {
      const std::size_t p = k * m.dilations.size() + d;
      const auto part = spread(m, m.weights[p] * m.a[static_cast<index_t>(p)], 1, m.kernels.back() / 2);
      sum = k == 0 ? part : sum + part;
    }
    const auto part = convolved(m, x, sum, m.dilations[d]);
    y = d == 0 ? part : y + part;
  }
  return y;
}

}  // namespace bench
