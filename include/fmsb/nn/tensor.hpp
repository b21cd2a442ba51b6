#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <ATen/Parallel.h>                     // at::set_num_threads, at::get_num_threads
#include <ATen/TensorOperators.h>              // a + b, 1 - a
#include <ATen/core/Tensor.h>                  // at::Tensor, at::TensorOptions, at::kDouble
#include <ATen/ops/addmm.h>                    // at::addmm_out: a product added to what is there
#include <ATen/ops/arange.h>                   // at::arange
#include <ATen/ops/baddbmm.h>                  // at::baddbmm: the same for a batch
#include <ATen/ops/bmm.h>                      // at::bmm
#include <ATen/ops/cat.h>                      // at::cat
#include <ATen/ops/cholesky_solve.h>           // at::cholesky_solve
#include <ATen/ops/empty.h>                    // at::empty
#include <ATen/ops/eye.h>                      // at::eye
#include <ATen/ops/fft_irfft.h>                // at::fft_irfft
#include <ATen/ops/fft_rfft.h>                 // at::fft_rfft
#include <ATen/ops/from_blob.h>                // at::from_blob
#include <ATen/ops/linalg_cholesky.h>          // at::linalg_cholesky
#include <ATen/ops/linalg_cholesky_ex.h>       // at::linalg_cholesky_ex: reports, does not throw
#include <ATen/ops/linalg_eigh.h>              // at::linalg_eigh
#include <ATen/ops/linalg_qr.h>                // at::linalg_qr
#include <ATen/ops/linalg_solve_triangular.h>  // at::linalg_solve_triangular
#include <ATen/ops/matmul.h>                   // at::matmul
#include <ATen/ops/mm.h>                       // at::mm, at::mm_out
#include <ATen/ops/mv.h>                       // at::mv
#include <ATen/ops/ones.h>                     // at::ones
#include <ATen/ops/stack.h>                    // at::stack
#include <ATen/ops/zeros.h>                    // at::zeros
#include <c10/core/InferenceMode.h>  // c10::InferenceMode: arithmetic without autograd's bookkeeping

#include <ranges>  // std::ranges::contiguous_range

#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <cstdint>   // std::int64_t
#include <span>      // std::span
#include <string>    // std::to_string

/// The light door to LibTorch: tensors and dense linear algebra, without modules, autograd functions
/// or optimisers. A translation unit costs about five seconds with it; `nn/torch.hpp` is the full door
/// and costs three times as much. What is missing here is one more `ATen/ops/<name>.h` away.

namespace fmsb {

/// LibTorch's tensor: a reference-counted handle, cheap to copy.
using tensor = at::Tensor;

}  // namespace fmsb

namespace fmsb::nn {

/// Extents and distances, in elements, by which `matrix_view` reads a stretch of memory.
struct matrix_layout {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t row_stride = 0;  ///< from a row's first element to the next row's; 0 means `columns`

  /// Elements from the first that the matrix touches to one past the last.
  constexpr std::size_t reach() const {
    if (rows == 0 || columns == 0) return 0;
    return (rows - 1) * (row_stride == 0 ? columns : row_stride) + columns;
  }
};

/// Contiguous doubles that outlive the expression: a span, or a named vector or array. Constant memory
/// is accepted; LibTorch knows no tensor of constants, so a view of it is an operand only, never the
/// place of an output or of an operation in place.
template <class Range>
concept contiguous_doubles =
    std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    std::ranges::borrowed_range<Range> && std::same_as < std::ranges::range_value_t<Range>,
double > ;

/// A [rows, columns] tensor of doubles over memory that somebody else owns: no copy is made, a write
/// through the tensor is a write to `values`, and the memory must outlive the tensor.
///
/// A row stride below `columns` gives overlapping rows: 1 is the Hankel matrix of sliding windows,
/// which LibTorch reads as a matrix without building it (do not write through such a view).
///
/// @throws usage_error if the matrix would reach beyond the end of `values`
template <contiguous_doubles Range>
tensor matrix_view(Range&& values, matrix_layout layout) {
  const std::size_t row_stride = layout.row_stride == 0 ? layout.columns : layout.row_stride;
  if (layout.reach() > std::ranges::size(values))
    throw usage_error("fmsb::nn::matrix_view: a matrix of " + std::to_string(layout.rows) + " x " +
                      std::to_string(layout.columns) + " with row stride " + std::to_string(row_stride) +
                      " needs " + std::to_string(layout.reach()) + " values, but the memory holds " +
                      std::to_string(std::ranges::size(values)) + ".");
  const auto extent = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  return at::from_blob(const_cast<double*>(std::ranges::data(values)),
                       {extent(layout.rows), extent(layout.columns)}, {extent(row_stride), 1},
                       at::TensorOptions().dtype(at::kDouble));
}

/// A [n] tensor of doubles over memory that somebody else owns; as `matrix_view`.
template <contiguous_doubles Range>
tensor vector_view(Range&& values) {
  return at::from_blob(const_cast<double*>(std::ranges::data(values)),
                       {static_cast<std::int64_t>(std::ranges::size(values))},
                       at::TensorOptions().dtype(at::kDouble));
}

/// The memory of a contiguous double tensor on the CPU, to be read and written; valid while the
/// tensor lives and is not resized.
///
/// @throws usage_error for a tensor of another type, on another device or with gaps
inline std::span<double> values_of(const tensor& x) {
  if (!x.defined() || x.scalar_type() != at::kDouble || !x.device().is_cpu() || !x.is_contiguous())
    throw usage_error("fmsb::nn::values_of reads a contiguous double tensor on the CPU, but was given " +
                      (x.defined() ? x.toString() + (x.is_contiguous() ? "" : " that is not contiguous")
                                   : std::string("an undefined tensor")) +
                      "; convert it with .to(at::kCPU, at::kDouble).contiguous() first.");
  return {x.mutable_data_ptr<double>(), static_cast<std::size_t>(x.numel())};
}

}  // namespace fmsb::nn
