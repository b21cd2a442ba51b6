#pragma once
#include "fmsb/core/extent.hpp"      // index_t
#include "fmsb/nn/parallel_for.hpp"  // parallel_for
#include "fmsb/nn/tensor.hpp"        // tensor

#include <ATen/Dispatch.h>  // AT_DISPATCH_FLOATING_TYPES

#include <algorithm>  // std::min
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <vector>     // std::vector

namespace fmsb::models {

/// What a column was shifted and multiplied by.
struct column_scales {
  tensor mean;     ///< [columns]
  tensor inverse;  ///< [columns], 1 / deviation (of n); 0 for a column that is constant
};

namespace detail {

/// A stripe of columns is small enough to stay in cache while rows pass by.
inline constexpr index_t kStripe = 256;

template <class Real>
void standardise_stripe(Real* x, index_t rows, index_t stride, index_t count, Real* mean, Real* inverse) {
  const auto n = static_cast<std::size_t>(count);
  std::vector<double> sum(n), squares(n);
  std::vector<Real> middle(n), factor(n);
  for (index_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < n; ++c)
      sum[c] += static_cast<double>(x[r * stride + static_cast<index_t>(c)]);
  for (std::size_t c = 0; c < n; ++c) middle[c] = static_cast<Real>(sum[c] / static_cast<double>(rows));
  for (index_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < n; ++c) {
      const Real d = x[r * stride + static_cast<index_t>(c)] - middle[c];
      squares[c] += static_cast<double>(d * d);
    }
  for (std::size_t c = 0; c < n; ++c) {
    const double deviation = std::sqrt(squares[c] / static_cast<double>(rows));
    const double size = std::abs(static_cast<double>(middle[c]));
    factor[c] = deviation > 1e-6 * size ? static_cast<Real>(1 / deviation) : Real{0};  // else it is rounding
    mean[c] = middle[c];
    inverse[c] = factor[c];
  }
  for (index_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < n; ++c) {
      Real& value = x[r * stride + static_cast<index_t>(c)];
      value = (value - middle[c]) * factor[c];
    }
}

}  // namespace detail

/// Shifts every column to mean 0 and scales it to deviation 1, in place; a constant column becomes 0.
/// @param x  [rows, columns], float or double, contiguous, on the CPU
inline column_scales standardise(const tensor& x) {
  const index_t rows = x.size(0), columns = x.size(1);
  column_scales out{at::empty({columns}, x.options()), at::empty({columns}, x.options())};
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "fmsb::models::standardise", [&] {
    auto* const values = x.mutable_data_ptr<scalar_t>();
    auto* const mean = out.mean.mutable_data_ptr<scalar_t>();
    auto* const inverse = out.inverse.mutable_data_ptr<scalar_t>();
    nn::parallel_for((columns + detail::kStripe - 1) / detail::kStripe, 1, [&](index_t begin, index_t end) {
      for (index_t s = begin * detail::kStripe; s < std::min(columns, end * detail::kStripe);
           s += detail::kStripe)
        detail::standardise_stripe(values + s, rows, columns, std::min(detail::kStripe, columns - s),
                                   mean + s, inverse + s);
    });
  });
  return out;
}

}  // namespace fmsb::models
