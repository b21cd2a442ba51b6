#pragma once
#include "fmsb/core/isa.hpp"          // isa::run_at, isa::pack, FMSB_KERNEL
#include "fmsb/nn/kernels/lanes.hpp"  // widest_for

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t

/// Sums of scaled rows, and their gradients, without LibTorch:
///
///     out[to[j]] += scale[of[j]] rows[j]   for all j.
namespace fmsb::nn {

template <class Real>
struct mix_rows_task {
  std::size_t rows = 0, outputs = 0, scales = 0, width = 0;
  const int *to = nullptr, *of = nullptr;  ///< [rows]: below `outputs`, and below `scales`
  const Real* from = nullptr;              ///< [rows, width]
  const Real* scale = nullptr;             ///< [scales]
  Real* out = nullptr;                     ///< [outputs, width], overwritten

  const Real* out_gradient = nullptr;  ///< [outputs, width]
  Real* from_gradient = nullptr;       ///< [rows, width], overwritten; null: not wanted
  Real* scale_gradient = nullptr;      ///< [scales], overwritten; null: not wanted
};

namespace detail {

/// Columns at a time: what all rows add to stays in the first cache.
inline constexpr std::size_t kMixedColumns = 256;

template <class Real>
struct sum_rows_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const mix_rows_task<Real>* task) {
    const auto& t = *task;
    for (std::size_t i = 0; i < t.outputs * t.width; ++i) t.out[i] = 0;
    for (std::size_t first = 0; first < t.width; first += kMixedColumns) {
      const std::size_t last = std::min(first + kMixedColumns, t.width);
      for (std::size_t j = 0; j < t.rows; ++j) {
        const Real scale = t.scale[t.of[j]];
        const Real* const from = t.from + j * t.width;
        Real* const out = t.out + static_cast<std::size_t>(t.to[j]) * t.width;
        for (std::size_t i = first; i < last; ++i) out[i] += scale * from[i];
      }
    }
  }
};

template <class Real>
struct row_gradients_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const mix_rows_task<Real>* task) {
    using vec = typename isa::pack<Lanes, Real>::type;
    using loose = typename isa::pack<Lanes, Real>::unaligned;
    constexpr std::size_t size = isa::pack<Lanes, Real>::size;
    const auto& t = *task;
    if (t.scale_gradient != nullptr)
      for (std::size_t i = 0; i < t.scales; ++i) t.scale_gradient[i] = 0;
    for (std::size_t j = 0; j < t.rows; ++j) {
      const Real scale = t.scale[t.of[j]];
      const Real *const from = t.from + j * t.width, *const g = t.out_gradient +
                                                                static_cast<std::size_t>(t.to[j]) * t.width;
      if (t.from_gradient != nullptr)
        for (std::size_t i = 0; i < t.width; ++i) t.from_gradient[j * t.width + i] = scale * g[i];
      if (t.scale_gradient == nullptr) continue;
      vec sums{};
      std::size_t i = 0;
      for (; i + size <= t.width; i += size)
        sums += *reinterpret_cast<const loose*>(from + i) * *reinterpret_cast<const loose*>(g + i);
      Real sum = 0;
      for (std::size_t lane = 0; lane < size; ++lane) sum += sums[lane];
      for (; i < t.width; ++i) sum += from[i] * g[i];
      t.scale_gradient[t.of[j]] += sum;
    }
  }
};

}  // namespace detail

/// Computes `out`.
template <class Real>
void mix_rows(const mix_rows_task<Real>& task) {
  isa::run_at<detail::sum_rows_kernel<Real>, widest_for<Real>>(isa::current(), &task);
}

/// Computes the gradients that are wanted.
template <class Real>
void mix_rows_gradients(const mix_rows_task<Real>& task) {
  isa::run_at<detail::row_gradients_kernel<Real>, widest_for<Real>>(isa::current(), &task);
}

}  // namespace fmsb::nn
