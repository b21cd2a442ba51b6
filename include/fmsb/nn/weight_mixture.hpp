#pragma once
#include "fmsb/core/extent.hpp"          // index_t
#include "fmsb/nn/by_type.hpp"           // detail::by_type
#include "fmsb/nn/kernels/mix_rows.hpp"  // mix_rows, mix_rows_gradients
#include "fmsb/nn/operation.hpp"         // operation, apply_operation
#include "fmsb/space/mixed_taps.hpp"     // mixed_taps

#include <ATen/ops/empty_like.h>    // at::empty_like
#include <ATen/ops/from_blob.h>     // at::from_blob
#include <ATen/ops/index_add.h>     // at::index_add
#include <ATen/ops/index_select.h>  // at::index_select

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <type_traits>  // std::type_identity
#include <vector>       // std::vector

namespace fmsb::nn {
namespace detail {

/// Constant indices as a tensor that shares their memory; for reading only.
template <std::size_t Count>
tensor index_view(const std::array<int, Count>& indices, const tensor& like) {
  return at::from_blob(const_cast<int*>(indices.data()), {static_cast<index_t>(Count)},
                       at::TensorOptions().dtype(at::kInt))
      .to(like.device());
}

/// taps[i] = sum of coefficients[point of j] weight[j] over the weights j of tap i.
template <space::search_space Space, int Axes>
struct mix_weights_operation final : operation {
  enum input : std::size_t { of_coefficients, of_weight };
  using mixed = space::mixed_taps<Space, Axes>;

  tensor forward(const tensor& coefficients, const tensor& weight) {
    keep({coefficients, weight});
    const auto a = coefficients.contiguous(), w = weight.contiguous();
    auto sizes = w.sizes().vec();
    sizes[0] = static_cast<index_t>(mixed::count);
    const auto taps = at::empty(sizes, w.options());
    by_type(w, [&]<class Real>(std::type_identity<Real>) {
      auto task = task_of<Real>(a, w);
      task.out = taps.template mutable_data_ptr<Real>();
      mix_rows(task);
    });
    return taps;
  }

  std::vector<tensor> gradients(const tensor& gradient) override {
    const auto [coefficients, weight] = kept<2>();
    if (at::GradMode::is_enabled()) return by_operators(coefficients, weight, gradient);
    const auto a = coefficients.contiguous(), w = weight.contiguous(), g = gradient.contiguous();
    tensor ga, gw;
    if (wants(of_coefficients)) ga = at::empty_like(a);
    if (wants(of_weight)) gw = at::empty_like(w);
    by_type(w, [&]<class Real>(std::type_identity<Real>) {
      auto task = task_of<Real>(a, w);
      task.out_gradient = g.template const_data_ptr<Real>();
      if (ga.defined()) task.scale_gradient = ga.template mutable_data_ptr<Real>();
      if (gw.defined()) task.from_gradient = gw.template mutable_data_ptr<Real>();
      mix_rows_gradients(task);
    });
    return {ga, gw};
  }

  /// The same by operators that have derivatives themselves.
  static tensor forward_by_operators(const tensor& coefficients, const tensor& weight) {
    const auto points = index_view(mixed::point_of_weight, weight),
               taps = index_view(mixed::tap_of_weight, weight);
    auto sizes = weight.sizes().vec();
    sizes[0] = static_cast<index_t>(mixed::count);
    return at::index_add(at::zeros(sizes, weight.options()), 0, taps,
                         weight * spread(at::index_select(coefficients, 0, points), weight));
  }

 private:
  static tensor spread(const tensor& row, const tensor& like) {
    std::vector<index_t> sizes(static_cast<std::size_t>(like.dim()), 1);
    sizes[0] = row.size(0);
    return row.view(sizes);
  }

  std::vector<tensor> by_operators(const tensor& coefficients, const tensor& weight, const tensor& gradient) {
    const auto points = index_view(mixed::point_of_weight, weight),
               taps = index_view(mixed::tap_of_weight, weight);
    const auto g = at::index_select(gradient, 0, taps);
    tensor ga, gw;
    if (wants(of_coefficients))
      ga = at::index_add(at::zeros({static_cast<index_t>(mixed::points)}, weight.options()), 0, points,
                         (g * weight).flatten(1).sum(1));
    if (wants(of_weight)) gw = g * spread(at::index_select(coefficients, 0, points), weight);
    return {ga, gw};
  }

  template <class Real>
  static mix_rows_task<Real> task_of(const tensor& a, const tensor& w) {
    mix_rows_task<Real> task;
    task.rows = mixed::weights;
    task.outputs = mixed::count;
    task.scales = mixed::points;
    task.width = static_cast<std::size_t>(w.numel()) / mixed::weights;
    task.to = mixed::tap_of_weight.data();
    task.of = mixed::point_of_weight.data();
    task.from = w.template const_data_ptr<Real>();
    task.scale = a.template const_data_ptr<Real>();
    return task;
  }
};

}  // namespace detail

/// The taps of a mixture: every point's kernel, scaled by its coefficient, added up where they meet.
/// Differentiable any number of times.
///
/// @param coefficients  [points]
/// @param weight        [weights of all points, ...], in the order of `space::mixed_taps`
/// @return [taps, ...]
template <space::search_space Space, int Axes>
tensor mix_weights(const tensor& coefficients, const tensor& weight) {
  using node = detail::mix_weights_operation<Space, Axes>;
  const bool kernel = weight.is_cpu() &&
                      (weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kDouble) &&
                      coefficients.scalar_type() == weight.scalar_type() && weight.numel() > 0;
  if (!kernel) return node::forward_by_operators(coefficients, weight);
  return apply_operation(make_operation<node>(), {coefficients, weight},
                         [&](auto& n) { return n.forward(coefficients, weight); });
}

}  // namespace fmsb::nn
