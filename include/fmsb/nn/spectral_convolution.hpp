#pragma once
#include "fmsb/core/extent.hpp"                    // index_t
#include "fmsb/nn/kernels/dense_spectrum.hpp"      // dense_task, dense_spectrum
#include "fmsb/nn/kernels/depthwise_spectrum.hpp"  // spectrum_task, depthwise_spectrum_forward
#include "fmsb/nn/operation.hpp"                   // operation, apply_operation
#include "fmsb/nn/signals.hpp"                     // detail::view, readable, by_type, each_range
#include "fmsb/nn/tap_convolution.hpp"             // tap_offsets, tap_geometry, detail::gradients_by_kernel

#include <ATen/ops/empty_like.h>  // at::empty_like

#include <algorithm>         // std::find_if, std::rotate
#include <array>             // std::array
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <memory>            // std::shared_ptr
#include <mutex>             // std::mutex
#include <type_traits>       // std::type_identity
#include <utility>           // std::move
#include <vector>            // std::vector

namespace fmsb::nn {

/// What an output's channel sees: its own, or all of its group. Only what is asked for is compiled.
enum class channels_seen { own, all };

namespace detail {

/// The plans of the shapes that were asked for last: making one takes longer than a small convolution.
template <class Plan>
class recent_plans {
 public:
  std::shared_ptr<const Plan> of(std::size_t rows, std::size_t length,
                                 const std::vector<plane_offset>& offsets) {
    constexpr std::size_t kKept = 8;
    const std::lock_guard lock(mutex_);
    auto at = std::find_if(kept_.begin(), kept_.end(), [&](const entry& e) {
      return e.rows == rows && e.length == length && e.offsets == offsets;
    });
    if (at == kept_.end()) {
      auto made = std::make_shared<const Plan>(Plan(plane_plan<typename Plan::real>(rows, length, offsets)));
      if (kept_.size() == kKept) kept_.pop_back();
      at = kept_.insert(kept_.end(), {rows, length, offsets, std::move(made)});
    }
    std::rotate(kept_.begin(), at, at + 1);
    return kept_.front().plan;
  }

 private:
  struct entry {
    std::size_t rows, length;
    std::vector<plane_offset> offsets;
    std::shared_ptr<const Plan> plan;
  };
  std::mutex mutex_;
  std::vector<entry> kept_;
};

/// A convolution by the transforms of depthwise_spectrum.hpp or dense_spectrum.hpp. Keeps x and the taps.
template <int Axes, channels_seen Seen>
struct spectral_operation final : operation {
  enum input : std::size_t { of_x, of_taps, of_bias };
  tap_offsets<Axes> offsets;
  tap_geometry geometry;
  bool has_bias;

  spectral_operation(tap_offsets<Axes> at, tap_geometry of, bool biased)
      : offsets(std::move(at)), geometry(of), has_bias(biased) {}

  tensor forward(const tensor& x, const tensor& taps, const tensor& bias) {
    keep({x, taps});
    const auto from = readable(x);
    std::vector<index_t> positions;
    for (index_t axis = 2; axis < x.dim(); ++axis)
      positions.push_back((x.size(axis) + geometry.stride - 1) / geometry.stride);
    const auto y = output_like(from, taps.size(1), positions);
    by_type(x, [&]<class Real>(std::type_identity<Real>) {
      const auto w = real_of<Real>(taps), b = bias.defined() ? real_of<Real>(bias) : tensor();
      if constexpr (Seen == channels_seen::own)
        depthwise_forward<Real>(from, w, b, y);
      else
        for (index_t g = 0; g < geometry.groups; ++g)
          dense_forward<Real>(part(from, g), part(w, g), b.defined() ? part_of_row(b, g) : b, part(y, g));
    });
    return y.to(x.scalar_type());
  }

  std::vector<tensor> gradients(const tensor& gradient) override {
    const auto [x, taps] = kept<2>();
    const bool of_all_taps = wants(of_taps), of_the_bias = has_bias && wants(of_bias);
    std::array<tensor, 3> all;
    if (at::GradMode::is_enabled()) {
      all = gradients_by_kernel<Axes>(x, taps, gradient, offsets, geometry,
                                      {wants(of_x), of_all_taps, of_the_bias});
    } else {
      const auto from = readable(x), g = readable(gradient);
      auto& [gx, gtaps, gbias] = all;
      if (wants(of_x)) gx = at::empty_like(from);
      by_type(x, [&]<class Real>(std::type_identity<Real>) {
        const auto w = real_of<Real>(taps);
        if (of_all_taps || of_the_bias) gtaps = at::empty_like(w);
        if constexpr (Seen == channels_seen::own) {
          if (gtaps.defined()) gbias = at::empty({x.size(1)}, w.options());
          depthwise_backward<Real>(from, w, g, gx, gtaps, gbias);
        } else {
          if (of_the_bias) gbias = real_of<Real>(g).flatten(2).sum(std::vector<index_t>{0, 2});
          for (index_t i = 0; i < geometry.groups; ++i)
            dense_backward<Real>(part(from, i), part(w, i), part(g, i), gx.defined() ? part(gx, i) : gx,
                                 of_all_taps ? part(gtaps, i) : tensor());
        }
        if (gtaps.defined()) gtaps = gtaps.to(taps.scalar_type());
      });
      if (gx.defined()) gx = gx.to(x.scalar_type());
    }
    auto& [gx, gtaps, gbias] = all;
    if (!of_all_taps) gtaps = tensor();
    return has_bias ? std::vector<tensor>{gx, gtaps, gbias} : std::vector<tensor>{gx, gtaps};
  }

 private:
  /// The channels of a group.
  tensor part(const tensor& all, index_t group) const {
    const index_t channels = all.size(1) / geometry.groups;
    return all.narrow(1, group * channels, channels);
  }
  tensor part_of_row(const tensor& all, index_t group) const {
    const index_t channels = all.size(0) / geometry.groups;
    return all.narrow(0, group * channels, channels);
  }

  template <class Plan>
  std::shared_ptr<const Plan> plan_of(const tensor& x) const {
    static recent_plans<Plan> plans;
    std::vector<plane_offset> all;
    for (const auto& o : offsets)
      if constexpr (Axes == 1)
        all.push_back({0, o[0]});
      else
        all.push_back(o);
    return plans.of(Axes == 1 ? 1 : static_cast<std::size_t>(x.size(2)), static_cast<std::size_t>(x.size(-1)),
                    all);
  }

  // ---- every channel alone

  template <class Real>
  spectrum_task<Real> depthwise_task_of(const tensor& x, const tensor& taps,
                                        const plane_plan<Real>& plan) const {
    spectrum_task<Real> task;
    task.plan = &plan;
    task.batch = static_cast<std::size_t>(x.size(0));
    task.channels = static_cast<std::size_t>(x.size(1));
    task.stride = static_cast<std::size_t>(geometry.stride);
    task.taps = taps.template const_data_ptr<Real>();
    task.x = view<const Real>(x);
    return task;
  }

  template <class Real, class Kernel>
  static void each_unit(const spectrum_task<Real>& task, const lane_units& units, const Kernel& kernel) {
    each_range(units.count(), spectrum_scratch(*task.plan, units.lanes) * sizeof(Real),
               [&](std::size_t begin, std::size_t end, void* scratch) {
                 auto mine = task;
                 mine.scratch = static_cast<Real*>(scratch);
                 kernel(mine, begin, end);
               });
  }

  template <class Real>
  void depthwise_forward(const tensor& x, const tensor& taps, const tensor& bias, const tensor& y) const {
    const auto plan = plan_of<plane_plan<Real>>(x);
    auto task = depthwise_task_of<Real>(x, taps, *plan);
    task.y = view<Real>(y);
    if (bias.defined()) task.bias = bias.template const_data_ptr<Real>();
    const auto units = spectrum_units(task.batch, task.channels, lanes_at<Real>(isa::current()));
    each_unit(task, units, [](const auto& t, std::size_t begin, std::size_t end) {
      depthwise_spectrum_forward(t, begin, end);
    });
  }

  template <class Real>
  void depthwise_backward(const tensor& x, const tensor& taps, const tensor& g, const tensor& gx,
                          const tensor& gtaps, const tensor& gbias) const {
    const auto plan = plan_of<plane_plan<Real>>(x);
    auto task = depthwise_task_of<Real>(x, taps, *plan);
    task.gy = view<const Real>(g);
    if (gx.defined()) task.gx = view<Real>(gx);
    const auto units = spectrum_units(task.batch, task.channels, lanes_at<Real>(isa::current()));
    tensor sums;
    if (gtaps.defined()) {
      sums = at::empty({static_cast<index_t>(units.count() * (plan->taps.size() + 1) * units.lanes)},
                       taps.options());
      task.sums = sums.template mutable_data_ptr<Real>();
    }
    each_unit(task, units, [](const auto& t, std::size_t begin, std::size_t end) {
      depthwise_spectrum_backward(t, begin, end);
    });
    if (gtaps.defined())
      add_up(sums.template const_data_ptr<Real>(), plan->taps.size(), units,
             gtaps.template mutable_data_ptr<Real>(), gbias.template mutable_data_ptr<Real>());
  }

  // ---- all channels of a group with all

  template <class Real>
  dense_task<Real> dense_task_of(const tensor& x, index_t out, const dense_plan<Real>& plan) const {
    dense_task<Real> task;
    task.plan = &plan;
    task.batch = static_cast<std::size_t>(x.size(0));
    task.in = static_cast<std::size_t>(x.size(1));
    task.out = static_cast<std::size_t>(out);
    task.stride = static_cast<std::size_t>(geometry.stride);
    task.x = view<const Real>(x);
    return task;
  }

  template <class Real>
  static void run(const dense_task<Real>& task, std::initializer_list<dense_step> steps) {
    for (const auto step : steps)
      each_range(task.items(step), task.scratch() * sizeof(Real),
                 [&](std::size_t begin, std::size_t end, void* scratch) {
                   dense_spectrum(task, step, begin, end, static_cast<Real*>(scratch));
                 });
  }

  template <class Real>
  static tensor numbers(std::size_t count, const tensor& like, Real*& at) {
    auto memory = at::empty({static_cast<index_t>(count)}, like.options());
    at = memory.template mutable_data_ptr<Real>();
    return memory;
  }

  template <class Real>
  void dense_forward(const tensor& x, const tensor& taps, const tensor& bias, const tensor& y) const {
    const auto plan = plan_of<dense_plan<Real>>(x);
    auto task = dense_task_of<Real>(x, taps.size(1), *plan);
    const auto turned = taps.transpose(1, 2).contiguous();
    task.taps = turned.template const_data_ptr<Real>();
    if (bias.defined()) task.bias = bias.template const_data_ptr<Real>();
    task.y = view<Real>(y);
    const auto x_memory = numbers(task.spectrum_numbers(task.in), taps, task.x_spectrum),
               y_memory = numbers(task.spectrum_numbers(task.out), taps, task.y_spectrum),
               matrix_memory = numbers(task.matrix_numbers(task.in, task.out), taps, task.matrices);
    run(task, {dense_step::load_x, dense_step::load_taps, dense_step::multiply, dense_step::store_y});
  }

  template <class Real>
  void dense_backward(const tensor& x, const tensor& taps, const tensor& g, const tensor& gx,
                      const tensor& gtaps) const {
    if (!gx.defined() && !gtaps.defined()) return;
    const auto plan = plan_of<dense_plan<Real>>(x);
    auto task = dense_task_of<Real>(x, taps.size(1), *plan);
    const auto whole = taps.contiguous();
    task.taps = whole.template const_data_ptr<Real>();
    task.gy = view<const Real>(g);
    const auto x_memory = numbers(task.spectrum_numbers(task.in), taps, task.x_spectrum),
               y_memory = numbers(task.spectrum_numbers(task.out), taps, task.y_spectrum);
    tensor matrices, sums, gathered;
    run(task, {dense_step::load_gy});
    if (gtaps.defined()) {
      sums = numbers(task.matrix_numbers(task.out, task.in), taps, task.sums);
      run(task, {dense_step::load_x});
    }
    if (gx.defined()) {
      matrices = numbers(task.matrix_numbers(task.out, task.in), taps, task.matrices);
      task.gx = view<Real>(gx);
      run(task, {dense_step::load_taps_back});
    }
    run(task, {dense_step::multiply_back});
    if (gx.defined()) run(task, {dense_step::store_gx});
    if (gtaps.defined()) {
      gathered = gtaps.is_contiguous() ? gtaps : at::empty(gtaps.sizes(), gtaps.options());
      task.taps_gradient = gathered.template mutable_data_ptr<Real>();
      run(task, {dense_step::store_taps});
      if (!gtaps.is_contiguous()) gtaps.copy_(gathered);
    }
  }
};

}  // namespace detail

/// By the library's Fourier transforms, any stride, and any groups where all channels are seen: keeps no more
/// than x and the taps for the backward pass. Differentiable any number of times; later derivatives run
/// through LibTorch's convolution.
///
/// @param x     [batch, in, positions...]: float, double or bfloat16 on the CPU, channels first or last in
///              memory
/// @param taps  [offsets, out, in / groups]; where only the own channel is seen [offsets, channels, 1]
/// @param bias  [out], or undefined
template <int Axes, channels_seen Seen = channels_seen::all>
tensor convolve_by_spectrum(const tensor& x, const tensor& taps, const tensor& bias,
                            const tap_offsets<Axes>& offsets, tap_geometry geometry) {
  using node = detail::spectral_operation<Axes, Seen>;
  const auto run = [&](std::initializer_list<tensor> inputs) {
    return apply_operation(make_operation<node>(offsets, geometry, bias.defined()), inputs,
                           [&](auto& n) { return n.forward(x, taps, bias); });
  };
  return bias.defined() ? run({x, taps, bias}) : run({x, taps});
}

}  // namespace fmsb::nn
