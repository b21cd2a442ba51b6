#pragma once
#include "fmsb/core/isa.hpp"  // isa::run
#include "fmsb/nn/torch.hpp"  // tensor, torch::NoGradGuard

#include <ATen/ops/linalg_vector_norm.h>  // at::linalg_vector_norm

#include <cmath>    // std::sqrt
#include <cstddef>  // std::size_t
#include <cstring>  // std::memcpy
#include <vector>   // std::vector

namespace fmsb::train {

namespace detail {

/// In double, in one fixed order: four vectors of sums side by side.
struct squares_kernel {
  template <int Lanes, class Number>
  FMSB_KERNEL void run(const Number* x, std::size_t n, double* sum) {
    using pack = typename isa::pack<Lanes>::type;
    using numbers [[gnu::vector_size(Lanes * sizeof(Number))]] = Number;
    pack sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 * Lanes <= n; i += 4 * Lanes)
      for (std::size_t k = 0; k < 4; ++k) {
        numbers read;
        std::memcpy(&read, x + i + k * Lanes, sizeof read);
        const pack v = __builtin_convertvector(read, pack);
        sums[k] += v * v;
      }
    const pack all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    *sum = 0;
    for (int k = 0; k < Lanes; ++k) *sum += all[k];
    for (; i < n; ++i) *sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
};

template <class Number>
double sum_of_squares(const Number* x, std::size_t n) {
  double sum = 0;
  isa::run<squares_kernel>(x, n, &sum);
  return sum;
}

inline double sum_of_squares(const tensor& x) {
  const auto n = static_cast<std::size_t>(x.numel());
  if (x.is_cpu() && x.layout() == at::kStrided && x.is_non_overlapping_and_dense()) {  // any order will do
    if (x.scalar_type() == at::kFloat) return sum_of_squares(x.const_data_ptr<float>(), n);
    if (x.scalar_type() == at::kDouble) return sum_of_squares(x.const_data_ptr<double>(), n);
  }
  const double norm = at::linalg_vector_norm(x, 2).item<double>();
  return norm * norm;
}

}  // namespace detail

/// The norm of all gradients of these parameters together, as of one vector. A parameter without a gradient
/// counts as zeros. On the CPU one pass over memory and no allocation. Not finite exactly if a gradient is
/// not (or their squares exceed a double).
inline double gradient_norm(const std::vector<tensor>& parameters) {
  double sum = 0;
  for (const auto& p : parameters)
    if (const auto& gradient = p.grad(); gradient.defined()) sum += detail::sum_of_squares(gradient);
  return std::sqrt(sum);
}

/// Scales all gradients so that a norm above `most` becomes `most`: by most / (norm + 1e-6), as
/// torch::nn::utils::clip_grad_norm_ (Pascanu et al., "On the difficulty of training recurrent neural
/// networks", ICML 2013, algorithm 1). Gradients that are short enough are not touched.
///
/// @param norm  their `gradient_norm`
inline void clip_gradients(const std::vector<tensor>& parameters, double norm, double most) {
  const double factor = most / (norm + 1e-6);
  if (!(factor < 1)) return;
  const torch::NoGradGuard no_gradient;
  for (const auto& p : parameters)
    if (p.grad().defined()) p.mutable_grad().mul_(factor);
}

}  // namespace fmsb::train
