#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/tensor.hpp"    // tensor

#include <ATen/ops/convolution.h>           // at::convolution
#include <ATen/ops/convolution_backward.h>  // at::convolution_backward
#include <ATen/ops/fft_irfft2.h>            // at::fft_irfft2
#include <ATen/ops/fft_rfft2.h>             // at::fft_rfft2
#include <ATen/ops/index_copy.h>            // at::index_copy
#include <ATen/ops/index_select.h>          // at::index_select
#include <ATen/ops/tensor.h>                // at::tensor

#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <vector>     // std::vector

/// Convolutions whose taps stand at given offsets, zeros around the input:
///
///     y[b, o, t] = bias[o] + sum_{i, c} taps[i, o, c] x[b, first(o) + c, stride t + offsets[i]],
///
/// where output o sees the channels of its group from first(o) on; over two axes t and the offsets are pairs.
namespace fmsb::nn {

/// Offsets along one or two axes.
template <int Axes>
using tap_offsets = std::vector<std::array<int, static_cast<std::size_t>(Axes)>>;

/// What the methods below share.
struct tap_geometry {
  index_t stride = 1;
  index_t groups = 1;
};

namespace detail {

template <int Axes>
index_t reach_of(const tap_offsets<Axes>& offsets) {
  index_t most = 0;
  for (const auto& o : offsets)
    for (const int along : o) most = std::max<index_t>(most, along < 0 ? -along : along);
  return most;
}

/// Where each tap lies in a kernel that covers all, [2 reach + 1] along each axis, flattened.
template <int Axes>
tensor places_of(const tap_offsets<Axes>& offsets, index_t reach, const tensor& like) {
  std::vector<index_t> places;
  for (const auto& o : offsets) {
    index_t place = 0;
    for (const int along : o) place = place * (2 * reach + 1) + reach + along;
    places.push_back(place);
  }
  return at::tensor(places, at::TensorOptions().dtype(at::kLong)).to(like.device());
}

/// [out, in, field(, field)] of [taps, out, in].
template <int Axes>
tensor filled_kernel(const tensor& taps, const tap_offsets<Axes>& offsets, index_t reach) {
  std::vector<index_t> sizes{taps.size(1), taps.size(2)};
  sizes.insert(sizes.end(), Axes, 2 * reach + 1);
  const auto flat =
      at::zeros({sizes[0], sizes[1], Axes == 1 ? sizes[2] : sizes[2] * sizes[3]}, taps.options());
  return at::index_copy(flat, 2, places_of<Axes>(offsets, reach, taps), taps.permute({1, 2, 0})).view(sizes);
}

/// The least length from `least` on that has no prime factor above 5 and is even: transforms of it are fast.
inline index_t transform_length(index_t least) {
  for (index_t n = std::max<index_t>(least, 2);; ++n) {
    if (n % 2 != 0) continue;
    index_t rest = n;
    for (const index_t factor : {2, 3, 5})
      while (rest % factor == 0) rest /= factor;
    if (rest == 1) return n;
  }
}

}  // namespace detail

/// By LibTorch's convolution with a kernel that covers all taps: the price of its whole field.
template <int Axes>
tensor convolve_by_kernel(const tensor& x, const tensor& taps, const tensor& bias,
                          const tap_offsets<Axes>& offsets, tap_geometry geometry) {
  const index_t reach = detail::reach_of<Axes>(offsets);
  const std::vector<index_t> stride(Axes, geometry.stride), padding(Axes, reach), one(Axes, 1), none(Axes, 0);
  return at::convolution(x, detail::filled_kernel<Axes>(taps, offsets, reach).to(x.scalar_type()),
                         bias.defined() ? bias.to(x.scalar_type()) : bias, stride, padding, one, false, none,
                         geometry.groups);
}

namespace detail {

/// The gradients of input, taps and bias by operators that have derivatives themselves; undefined where not
/// wanted.
template <int Axes>
std::array<tensor, 3> gradients_by_kernel(const tensor& x, const tensor& taps, const tensor& gradient,
                                          const tap_offsets<Axes>& offsets, tap_geometry geometry,
                                          std::array<bool, 3> wanted) {
  const index_t reach = reach_of<Axes>(offsets);
  const auto kernel = filled_kernel<Axes>(taps, offsets, reach).to(x.scalar_type());
  const std::vector<index_t> stride(Axes, geometry.stride), padding(Axes, reach), one(Axes, 1), none(Axes, 0),
      bias{taps.size(1)};
  auto [gx, gkernel, gbias] = at::convolution_backward(gradient, x, kernel, bias, stride, padding, one, false,
                                                       none, geometry.groups, wanted);
  tensor gtaps;
  if (wanted[1])
    gtaps = at::index_select(gkernel.flatten(2), 2, places_of<Axes>(offsets, reach, x))
                .permute({2, 0, 1})
                .to(taps.scalar_type());
  return {gx, gtaps, gbias};
}

}  // namespace detail

/// By Fourier transforms of LibTorch's: products of all channels at each frequency.
template <int Axes>
tensor convolve_by_transform(const tensor& x, const tensor& taps, const tensor& bias,
                             const tap_offsets<Axes>& offsets, tap_geometry geometry) {
  const index_t reach = detail::reach_of<Axes>(offsets), groups = geometry.groups, batch = x.size(0);
  const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  // Behind the input there are `reach` zeros, which stand before it, too: a transform is a circle.
  std::vector<index_t> n, places;
  for (int axis = 0; axis < Axes; ++axis) n.push_back(detail::transform_length(x.size(2 + axis) + reach));
  for (const auto& o : offsets) {
    index_t place = 0;
    for (std::size_t axis = 0; axis < Axes; ++axis)
      place = place * n[axis] + (o[axis] > 0 ? n[axis] - o[axis] : -o[axis]);
    places.push_back(place);
  }
  const auto index = at::tensor(places, at::TensorOptions().dtype(at::kLong)).to(x.device());
  const index_t all = Axes == 1 ? n[0] : n[0] * n[1];
  std::vector<index_t> sizes{taps.size(1), taps.size(2)};
  sizes.insert(sizes.end(), n.begin(), n.end());
  const auto kernel = at::index_copy(at::zeros({sizes[0], sizes[1], all}, taps.options().dtype(type)), 2,
                                     index, taps.to(type).permute({1, 2, 0}))
                          .view(sizes);
  const auto transformed = [&](const tensor& value) {
    if constexpr (Axes == 1)
      return at::fft_rfft(value, n[0], -1);
    else
      return at::fft_rfft2(value, n).flatten(-2);
  };
  const auto of_x = transformed(x.to(type)), of_kernel = transformed(kernel);  // [B, C, f], [out, in, f]
  const index_t out = sizes[0], in = sizes[1], frequencies = of_x.size(2);
  tensor of_y;  // [B, out, f]
  if (in == 1 && out == groups) {
    of_y = of_x * of_kernel.squeeze(1);
  } else {
    const auto
        left = of_x.view({batch, groups, in, frequencies}).permute({3, 1, 0, 2}).flatten(0, 1),
        right = of_kernel.view({groups, out / groups, in, frequencies}).permute({3, 0, 2, 1}).flatten(0, 1);
    of_y = at::bmm(left, right)
               .view({frequencies, groups, batch, out / groups})
               .permute({2, 1, 3, 0})
               .reshape({batch, out, frequencies});
  }
  tensor y;
  if constexpr (Axes == 1)
    y = at::fft_irfft(of_y, n[0], -1).slice(2, 0, x.size(2), geometry.stride);
  else
    y = at::fft_irfft2(of_y.view({batch, out, n[0], n[1] / 2 + 1}), n)
            .slice(2, 0, x.size(2), geometry.stride)
            .slice(3, 0, x.size(3), geometry.stride);
  if (bias.defined()) {
    std::vector<index_t> shape(Axes + 1, 1);
    shape[0] = -1;
    y = y + bias.to(type).view(shape);
  }
  return y.to(x.scalar_type()).contiguous();
}

}  // namespace fmsb::nn
