#pragma once
#include "fmsb/core/extent.hpp"                // index_t
#include "fmsb/nn/by_type.hpp"                 // detail::by_type
#include "fmsb/nn/kernels/depthwise_taps.hpp"  // depthwise_forward, depthwise_backward, add_up_depthwise
#include "fmsb/nn/kernels/panels.hpp"          // line_allocator
#include "fmsb/nn/operation.hpp"               // operation, apply_operation

#include <ATen/Parallel.h>                  // at::parallel_for
#include <ATen/ops/convolution.h>           // at::convolution
#include <ATen/ops/convolution_backward.h>  // at::convolution_backward
#include <ATen/ops/empty_like.h>            // at::empty_like
#include <ATen/ops/fft_irfft2.h>            // at::fft_irfft2
#include <ATen/ops/fft_rfft2.h>             // at::fft_rfft2
#include <ATen/ops/index_copy.h>            // at::index_copy
#include <ATen/ops/index_select.h>          // at::index_select
#include <ATen/ops/tensor.h>                // at::tensor

#include <algorithm>    // std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <type_traits>  // std::type_identity
#include <vector>       // std::vector

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

namespace detail {

/// A depthwise convolution over one axis by the kernels of depthwise_taps.hpp. Keeps x and the taps.
template <std::array Offsets>
struct depthwise_operation final : operation {
  enum input : std::size_t { of_x, of_taps, of_bias };
  static constexpr std::size_t count = Offsets.size();
  index_t stride;
  bool has_bias;

  depthwise_operation(index_t every, bool biased) : stride(every), has_bias(biased) {}

  static bool takes(const tensor& x) {
    const auto type = x.scalar_type();
    return x.is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16) &&
           x.numel() > 0;
  }

  tensor forward(const tensor& x, const tensor& taps, const tensor& bias) {
    keep({x, taps});
    const auto from = readable(x);
    const bool last = from.stride(2) != 1;
    const index_t outputs = (x.size(2) + stride - 1) / stride;
    const auto y = last ? at::empty({x.size(0), outputs, x.size(1)}, from.options()).transpose(1, 2)
                        : at::empty({x.size(0), x.size(1), outputs}, from.options());
    by_type(x, [&]<class Stored>(std::type_identity<Stored>) {
      using real = computed_in<Stored>;
      const auto w = real_of<real>(taps), b = bias.defined() ? real_of<real>(bias) : tensor();
      auto task = task_of<Stored>(x, w);
      task.x = view<const Stored>(from);
      task.y = view<Stored>(y);
      if (b.defined()) task.bias = b.template const_data_ptr<real>();
      each_range<Stored>(task, [](const auto& t, std::size_t begin, std::size_t end) {
        depthwise_forward<Offsets>(t, begin, end);
      });
    });
    return y.to(x.scalar_type());
  }

  std::vector<tensor> gradients(const tensor& gradient) override {
    const auto [x, taps] = kept<2>();
    if (at::GradMode::is_enabled()) return by_operators(x, taps, gradient);
    const auto from = readable(x), g = readable(gradient);
    tensor gx, gtaps, gbias;
    const bool of_all_taps = wants(of_taps), of_the_bias = has_bias && wants(of_bias);
    if (wants(of_x)) gx = at::empty_like(from);
    by_type(x, [&]<class Stored>(std::type_identity<Stored>) {
      using real = computed_in<Stored>;
      const auto w = real_of<real>(taps);
      auto task = task_of<Stored>(x, w);
      const auto units = units_of(task);
      task.x = view<const Stored>(from);
      task.gy = view<const Stored>(g);
      if (gx.defined()) task.gx = view<Stored>(gx);
      tensor sums;
      if (of_all_taps || of_the_bias) {
        sums = at::empty({static_cast<index_t>(units.count() * (count + 1) * units.lanes)}, w.options());
        task.sums = sums.template mutable_data_ptr<real>();
      }
      each_range<Stored>(task, [](const auto& t, std::size_t begin, std::size_t end) {
        depthwise_backward<Offsets>(t, begin, end);
      });
      if (!sums.defined()) return;
      const auto all = at::empty_like(w), of_all = at::empty({x.size(1)}, w.options());
      add_up_depthwise<Offsets>(sums.template const_data_ptr<real>(), units,
                                all.template mutable_data_ptr<real>(),
                                of_all.template mutable_data_ptr<real>());
      if (of_all_taps) gtaps = all.to(taps.scalar_type()).view(taps.sizes());
      if (of_the_bias) gbias = of_all;
    });
    if (gx.defined()) gx = gx.to(x.scalar_type());
    return in_order(gx, gtaps, gbias);
  }

 private:
  std::vector<tensor> in_order(const tensor& gx, const tensor& gtaps, const tensor& gbias) const {
    return has_bias ? std::vector<tensor>{gx, gtaps, gbias} : std::vector<tensor>{gx, gtaps};
  }

  /// The same by operators that have derivatives themselves.
  std::vector<tensor> by_operators(const tensor& x, const tensor& taps, const tensor& gradient) {
    tap_offsets<1> offsets;
    for (const int o : Offsets) offsets.push_back({o});
    const index_t reach = reach_of<1>(offsets), channels = x.size(1);
    const auto kernel = filled_kernel<1>(taps, offsets, reach).to(x.scalar_type());
    const std::vector<index_t> every{stride}, padding{reach}, one{1}, none{0}, bias{channels};
    auto [gx, gkernel, gbias] =
        at::convolution_backward(gradient, x, kernel, bias, every, padding, one, false, none, channels,
                                 {wants(of_x), wants(of_taps), has_bias && wants(of_bias)});
    tensor gtaps;
    if (wants(of_taps))
      gtaps = at::index_select(gkernel, 2, places_of<1>(offsets, reach, x))
                  .permute({2, 0, 1})
                  .to(taps.scalar_type());
    return in_order(gx, gtaps, gbias);
  }

  /// Channels first or last, as they lie; copied where they are neither, and where they are no type that the
  /// compiled kernels read.
  static tensor readable(const tensor& x) {
    const auto real = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
    return real.stride(2) == 1 || real.stride(1) == 1 ? real : real.contiguous();
  }

  template <class Real>
  static tensor real_of(const tensor& x) {
    return x.to(std::is_same_v<Real, double> ? at::kDouble : at::kFloat).contiguous();
  }

  template <class Stored>
  static signal<Stored> view(const tensor& x) {
    Stored* at;
    if constexpr (std::is_const_v<Stored>)
      at = static_cast<Stored*>(x.const_data_ptr());
    else
      at = static_cast<Stored*>(x.mutable_data_ptr());
    return {at, x.stride(0), x.stride(1), x.stride(2)};
  }

  template <class Stored>
  depthwise_task<Stored> task_of(const tensor& x, const tensor& taps) const {
    depthwise_task<Stored> task;
    task.batch = static_cast<std::size_t>(x.size(0));
    task.channels = static_cast<std::size_t>(x.size(1));
    task.length = static_cast<std::size_t>(x.size(2));
    task.stride = static_cast<std::size_t>(stride);
    task.taps = taps.template const_data_ptr<computed_in<Stored>>();
    return task;
  }

  template <class Stored>
  static depthwise_units units_of(const depthwise_task<Stored>& task) {
    return {task.batch, task.channels, lanes_at<computed_in<Stored>>(isa::current())};
  }

  /// Runs a kernel on all units, each thread with memory of its own.
  template <class Stored, class Kernel>
  static void each_range(const depthwise_task<Stored>& task, const Kernel& kernel) {
    using real = computed_in<Stored>;
    const auto units = units_of(task);
    at::parallel_for(0, static_cast<index_t>(units.count()), 1, [&](index_t begin, index_t end) {
      std::vector<real, line_allocator<real>> scratch(depthwise_scratch<Offsets>(units.lanes));
      auto mine = task;
      mine.scratch = scratch.data();
      kernel(mine, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
    });
  }
};

}  // namespace detail

/// Depthwise over one axis, by the library's kernels: keeps no more than x and the taps for the backward
/// pass. Differentiable any number of times; later derivatives run through LibTorch's convolution.
///
/// @tparam Offsets  ascending
/// @param x     [batch, channels, length]: float, double or bfloat16 on the CPU, channels first or last in
/// memory
/// @param taps  [offsets, channels, 1]
/// @param bias  [channels], or undefined
template <std::array Offsets>
tensor convolve_depthwise(const tensor& x, const tensor& taps, const tensor& bias, index_t stride) {
  using node = detail::depthwise_operation<Offsets>;
  const auto run = [&](std::initializer_list<tensor> inputs) {
    return apply_operation(make_operation<node>(stride, bias.defined()), inputs,
                           [&](auto& n) { return n.forward(x, taps, bias); });
  };
  return bias.defined() ? run({x, taps, bias}) : run({x, taps});
}

}  // namespace fmsb::nn
