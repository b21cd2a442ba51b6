#pragma once
#include "fmsb/core/extent.hpp"                // index_t
#include "fmsb/nn/kernels/depthwise_taps.hpp"  // depthwise_forward, depthwise_backward
#include "fmsb/nn/operation.hpp"               // operation, apply_operation
#include "fmsb/nn/signals.hpp"                 // detail::view, readable, by_type, each_range
#include "fmsb/nn/tap_convolution.hpp"         // detail::gradients_by_kernel

#include <ATen/ops/empty_like.h>  // at::empty_like

#include <array>             // std::array
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <type_traits>       // std::type_identity
#include <vector>            // std::vector

namespace fmsb::nn {
namespace detail {

/// A depthwise convolution over one axis by the kernels of depthwise_taps.hpp. Keeps x and the taps.
template <std::array Offsets>
struct depthwise_operation final : operation {
  enum input : std::size_t { of_x, of_taps, of_bias };
  static constexpr std::size_t count = Offsets.size();
  index_t stride;
  bool has_bias;

  depthwise_operation(index_t every, bool biased) : stride(every), has_bias(biased) {}

  tensor forward(const tensor& x, const tensor& taps, const tensor& bias) {
    keep({x, taps});
    const auto from = readable(x);
    const auto y = output_like(from, x.size(1), {(x.size(2) + stride - 1) / stride});
    by_type(x, [&]<class Stored>(std::type_identity<Stored>) {
      using real = computed_in<Stored>;
      const auto w = real_of<real>(taps), b = bias.defined() ? real_of<real>(bias) : tensor();
      auto task = task_of<Stored>(x, w);
      task.x = view<const Stored>(from);
      task.y = view<Stored>(y);
      if (b.defined()) task.bias = b.template const_data_ptr<real>();
      each_unit(task, [](const auto& t, std::size_t begin, std::size_t end) {
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
      each_unit(task, [](const auto& t, std::size_t begin, std::size_t end) {
        depthwise_backward<Offsets>(t, begin, end);
      });
      if (!sums.defined()) return;
      const auto all = at::empty_like(w), of_all = at::empty({x.size(1)}, w.options());
      add_up(sums.template const_data_ptr<real>(), count, units, all.template mutable_data_ptr<real>(),
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
    const auto [gx, gtaps, gbias] =
        gradients_by_kernel<1>(x, taps, gradient, offsets, {.stride = stride, .groups = x.size(1)},
                               {wants(of_x), wants(of_taps), has_bias && wants(of_bias)});
    return in_order(gx, gtaps, gbias);
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
  static lane_units units_of(const depthwise_task<Stored>& task) {
    return {task.batch, task.channels, lanes_at<computed_in<Stored>>(isa::current())};
  }

  /// Runs a kernel on all units.
  template <class Stored, class Kernel>
  static void each_unit(const depthwise_task<Stored>& task, const Kernel& kernel) {
    using real = computed_in<Stored>;
    const auto units = units_of(task);
    each_range(units.count(), depthwise_scratch<Offsets>(units.lanes) * sizeof(real),
               [&](std::size_t begin, std::size_t end, void* scratch) {
                 auto mine = task;
                 mine.scratch = static_cast<real*>(scratch);
                 kernel(mine, begin, end);
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
