#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/torch.hpp"     // tensor

/// Products with n cosines and n sines of whole frequencies.
namespace fmsb::adapt::detail {

// A cosine takes the same value at q and extent - q, a sine the opposite one. So rows are folded into sums
// and differences of the two, and the products with them cost half.

/// Positions q and extent - q that are not one, and positions that a cosine tells apart.
constexpr index_t mirrored_pairs(index_t extent) { return (extent - 1) / 2; }
constexpr index_t even_positions(index_t extent) { return extent - mirrored_pairs(extent); }

template <class Number>
void fold_rows(const Number* __restrict x, Number* __restrict even, Number* __restrict odd, index_t rows,
               index_t extent) {
  const index_t pairs = mirrored_pairs(extent), evens = even_positions(extent);
  for (; rows > 0; --rows, x += extent, even += evens, odd += pairs) {
    even[0] = x[0];
    for (index_t q = 1; q <= pairs; ++q) {
      even[q] = x[q] + x[extent - q];
      odd[q - 1] = x[q] - x[extent - q];
    }
    if (evens > pairs + 1) even[pairs + 1] = x[pairs + 1];
  }
}

/// The adjoint, added to y.
template <class Number>
void unfold_rows(const Number* __restrict even, const Number* __restrict odd, Number* __restrict y,
                 index_t rows, index_t extent) {
  const index_t pairs = mirrored_pairs(extent), evens = even_positions(extent);
  for (; rows > 0; --rows, y += extent, even += evens, odd += pairs) {
    y[0] += even[0];
    for (index_t q = 1; q <= pairs; ++q) y[q] += even[q] + odd[q - 1];
    for (index_t q = 1; q <= pairs; ++q) y[extent - q] += even[q] - odd[q - 1];
    if (evens > pairs + 1) y[pairs + 1] += even[pairs + 1];
  }
}

/// Cosines, or sines, from which on folding a row saves more than it costs.
inline constexpr index_t kFoldFrom = 48;

/// Folding is for plain numbers on the CPU; elsewhere, and where a derivative is to be taken through the
/// product, the waves are multiplied as they are.
inline bool folds(const tensor& x, const tensor& waves) {
  return waves.size(0) >= 2 * kFoldFrom && x.is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) && !at::GradMode::is_enabled() &&
         x.size(1) > 0;
}

/// The even and odd halves of waves [2n, extent]: views, no copies.
inline tensor even_waves(const tensor& waves) {
  return waves.narrow(0, 0, waves.size(0) / 2).narrow(1, 0, even_positions(waves.size(1)));
}
inline tensor odd_waves(const tensor& waves) {
  return waves.narrow(0, waves.size(0) / 2, waves.size(0) / 2).narrow(1, 1, mirrored_pairs(waves.size(1)));
}

/// x [rows, extent] times waves' [extent, 2n], where waves [2n, extent] are n cosines above n sines.
inline tensor onto_waves(const tensor& x, const tensor& waves) {
  if (!folds(x, waves)) return at::mm(x, waves.t());
  const index_t rows = x.size(0), extent = x.size(1), n = waves.size(0) / 2;
  const auto whole = x.contiguous();
  const auto even = at::empty({rows, even_positions(extent)}, x.options());
  const auto odd = at::empty({rows, mirrored_pairs(extent)}, x.options());
  if (x.scalar_type() == at::kFloat)
    fold_rows(whole.const_data_ptr<float>(), even.mutable_data_ptr<float>(), odd.mutable_data_ptr<float>(),
              rows, extent);
  else
    fold_rows(whole.const_data_ptr<double>(), even.mutable_data_ptr<double>(), odd.mutable_data_ptr<double>(),
              rows, extent);
  auto z = at::empty({rows, 2 * n}, x.options());
  auto cosines = z.narrow(1, 0, n), sines = z.narrow(1, n, n);
  at::mm_out(cosines, even, even_waves(waves).t());
  at::mm_out(sines, odd, odd_waves(waves).t());
  return z;
}

/// y [rows, extent], contiguous, plus z [rows, 2n] times waves.
inline tensor add_waves(const tensor& y, const tensor& z, const tensor& waves) {
  if (!folds(y, waves) || !y.is_contiguous()) return y.addmm_(z, waves);
  const index_t rows = y.size(0), extent = y.size(1), n = waves.size(0) / 2;
  const auto even = at::mm(z.narrow(1, 0, n), even_waves(waves));
  const auto odd = at::mm(z.narrow(1, n, n), odd_waves(waves));
  if (y.scalar_type() == at::kFloat)
    unfold_rows(even.const_data_ptr<float>(), odd.const_data_ptr<float>(), y.mutable_data_ptr<float>(), rows,
                extent);
  else
    unfold_rows(even.const_data_ptr<double>(), odd.const_data_ptr<double>(), y.mutable_data_ptr<double>(),
                rows, extent);
  return y;
}

}  // namespace fmsb::adapt::detail
