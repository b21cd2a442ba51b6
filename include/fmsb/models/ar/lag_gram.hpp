#pragma once
#include "fmsb/models/ar/lag_moments.hpp"  // lag_moments
#include "fmsb/nn/tensor.hpp"              // tensor

#include <algorithm>  // std::copy, std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <limits>     // std::numeric_limits
#include <vector>     // std::vector

namespace fmsb::ar {

/// First and second moments of lags 0..L over all samples, double.
struct lag_gram {
  tensor second;     ///< [L+1, L+1], G_ij = sum x(t-i) x(t-j)
  tensor first;      ///< [L+1], sum x(t-i)
  double count = 0;  ///< number of samples (weighted)
};

/// A [rows, columns] or [n] tensor of zeros, double.
inline tensor doubles(std::size_t rows, std::size_t columns) {
  return at::zeros({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, at::kDouble);
}
inline tensor doubles(std::size_t n) { return at::zeros({static_cast<std::int64_t>(n)}, at::kDouble); }

namespace detail {

/// One row of the displacement: next[j+1] = (row[j] + sum_s w_s head_s[i] head_s[j] - ...) / forgetting.
struct displace_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(double* next, const double* row, std::size_t count, const double* const* ends,
                       const double* weights, std::size_t terms, double scale) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    std::size_t j = 0;
    for (; j + Lanes <= count; j += Lanes) {
      vec sum = *reinterpret_cast<const loose*>(row + j);
      for (std::size_t s = 0; s < terms; ++s)
        sum += weights[s] * *reinterpret_cast<const loose*>(ends[s] + j);
      *reinterpret_cast<loose*>(next + j) = sum * scale;
    }
    for (; j < count; ++j) {
      double sum = row[j];
      for (std::size_t s = 0; s < terms; ++s) sum += weights[s] * ends[s][j];
      next[j] = sum * scale;
    }
  }
};

/// Copies the upper triangle of the square block at the left of a row-major matrix to its lower one, in tiles
/// that fit the cache.
inline void mirror_upper(double* a, std::size_t block, std::size_t columns) {
  constexpr std::size_t tile = 32;
  for (std::size_t r = 0; r < block; r += tile)
    for (std::size_t c = 0; c <= r; c += tile)
      for (std::size_t i = r; i < std::min(block, r + tile); ++i)
        for (std::size_t j = c; j < std::min(i, c + tile); ++j) a[i * columns + j] = a[j * columns + i];
}

}  // namespace detail

/// Where one segment begins and ends, as `lag_moments::edges`, without owning the values.
struct segment_ends {
  const double* head;
  const double* tail;
  double head_weight = 1;
  double tail_weight = 1;
};

/// The Gram matrix of all lags from its row 0 and the ends of the segments:
///
///     G_{i+1,j+1} = (G_ij + sum_s head_s[i] head_s[j] - tail_s[i] tail_s[j]) / forgetting
///
/// 2 x segments flops an element; no sample is read again. This is the displacement structure of the
/// covariance method (Morf, Dickinson, Kailath and Vieira, IEEE Trans. ASSP 25, 1977).
///
/// @param row   [L+1], sum x(t) x(t-k)
/// @param sum   sum x(t)
/// @param rows  how many rows are wanted, from lag 0 on
inline lag_gram displaced_gram(std::span<const double> row, double sum, double count,
                               std::span<const segment_ends> ends, double forgetting, std::size_t rows) {
  const std::size_t n = row.size(), height = std::min(rows, n);
  lag_gram g{.second = doubles(height, n), .first = doubles(n), .count = count};
  double* a = nn::values_of(g.second).data();
  double* first = nn::values_of(g.first).data();
  const double scale = 1 / forgetting;

  first[0] = sum;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    double next = first[i];
    for (const auto& e : ends) next += e.head_weight * e.head[i] - e.tail_weight * e.tail[i];
    first[i + 1] = next * scale;
  }

  std::vector<const double*> values(2 * ends.size());
  std::vector<double> weights(values.size());
  std::copy(row.begin(), row.end(), a);
  for (std::size_t i = 0; i + 1 < height; ++i) {
    for (std::size_t s = 0; s < ends.size(); ++s) {
      weights[2 * s] = ends[s].head_weight * ends[s].head[i];
      weights[2 * s + 1] = -ends[s].tail_weight * ends[s].tail[i];
      values[2 * s] = ends[s].head + i;
      values[2 * s + 1] = ends[s].tail + i;
    }
    const double* from = a + i * n + i;  // from the diagonal on
    isa::run<detail::displace_kernel>(a + (i + 1) * n + i + 1, from, n - 1 - i,
                                      static_cast<const double* const*>(values.data()),
                                      static_cast<const double*>(weights.data()), weights.size(), scale);
  }
  detail::mirror_upper(a, height, n);
  return g;
}

/// The Gram matrix of a state.
/// @param rows  how many rows are wanted, from lag 0 on; all by default
/// @return `second` of shape [rows, L+1]
inline lag_gram gram_of(const lag_moments& m, std::size_t rows = std::numeric_limits<std::size_t>::max()) {
  const auto segments = m.segments();
  std::vector<segment_ends> ends;
  for (const auto& e : segments) ends.push_back({e.head.data(), e.tail.data(), e.head_weight, e.tail_weight});
  return displaced_gram(m.row(), m.sum(), m.count(), ends, m.forgetting(), rows);
}

}  // namespace fmsb::ar
