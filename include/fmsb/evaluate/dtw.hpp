#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/isa.hpp"          // isa::run
#include "fmsb/evaluate/numbers.hpp"  // numbers

#include <algorithm>  // std::max
#include <array>      // std::array
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <optional>   // std::optional
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::metrics {

/// What two points cost that are matched, and what the distance is made of them.
enum class dtw_cost {
  squared,   ///< (a - b)^2; the distance is the root of the least sum, as a Euclidean distance is
  absolute,  ///< |a - b|; the distance is the least sum
};

/// How two sequences may be warped.
struct dtw_options {
  /// Sakoe and Chiba's band: only points whose places differ by at most this much are matched. Sequences of
  /// unlike lengths widen it to the difference, without which no path would lead to the end. Any warping
  /// where nothing is said.
  std::optional<std::size_t> band{};
  dtw_cost cost = dtw_cost::squared;
};

namespace detail {

/// Numbers that a vector may read and write beyond the end of a diagonal, so that no cell is left over.
inline constexpr std::size_t kDtwSlack = 8;

/// The recursion by anti-diagonals: no cell of one depends on another of the same, so a diagonal is computed
/// in vectors, where the usual sweep by rows waits for each cell's left neighbour.
///
/// Cell (i, j) of diagonal d = i + j is kept at place i + 1. Only two earlier diagonals are needed; the
/// places beside each are set to infinity, which is all that a band takes.
template <dtw_cost Cost>
struct dtw_kernel {
  /// @param a         [n + slack], the shorter sequence
  /// @param reversed  [m + slack], the longer one from its end, so that both run forwards along a diagonal
  /// @param cells     [3 (n + 2 + slack)], for the diagonals
  template <int Lanes>
  FMSB_KERNEL void run(double* out, const double* a, std::size_t n, const double* reversed, std::size_t m,
                       std::size_t band, double* cells) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::size_t places = n + 2 + kDtwSlack;
    double *before = cells, *last = cells + places, *next = cells + 2 * places;
    for (std::size_t i = 0; i < 3 * places; ++i) cells[i] = kInfinity;
    before[0] = 0;  // what the first cell continues
    for (std::size_t d = 0; d + 1 < n + m; ++d) {
      std::size_t low = d + 1 > m ? d + 1 - m : 0, high = d < n ? d : n - 1;
      if (d > band && (d - band + 1) / 2 > low) low = (d - band + 1) / 2;
      if ((d + band) / 2 < high) high = (d + band) / 2;
      for (std::size_t i = low; i <= high; i += Lanes) {
        const vec upper = *reinterpret_cast<const loose*>(last + i + 1);
        const vec left = *reinterpret_cast<const loose*>(last + i);
        const vec corner = *reinterpret_cast<const loose*>(before + i);
        const vec nearer = upper < left ? upper : left;
        // Row i meets the longer sequence at d - i, which stands at m - 1 - d + i of its reversal.
        vec apart = *reinterpret_cast<const loose*>(a + i) -
                    *reinterpret_cast<const loose*>(reversed + (m - 1 + i - d));
        if constexpr (Cost == dtw_cost::squared)
          apart *= apart;
        else
          apart = apart < 0 ? -apart : apart;
        *reinterpret_cast<loose*>(next + i + 1) = apart + (nearer < corner ? nearer : corner);
      }
      next[low] = kInfinity;
      next[high + 2] = kInfinity;
      double* const oldest = before;
      before = last;
      last = next;
      next = oldest;
    }
    *out = last[n];
  }
};

/// The recursion by rows, for what is too short or too narrow to fill vectors. Takes what the kernel takes;
/// of the cells it uses n + 1.
template <dtw_cost Cost>
double dtw_by_rows(const double* a, std::size_t n, const double* reversed, std::size_t m, std::size_t band,
                   double* cells) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i <= n; ++i) cells[i] = kInfinity;
  cells[0] = 0;
  for (std::size_t j = 0; j < m; ++j) {
    const std::size_t low = j > band ? j - band : 0, end = std::min(n, j + band + 1);
    const double b = reversed[m - 1 - j];
    double corner = cells[low], left = kInfinity;
    cells[low] = kInfinity;
    for (std::size_t i = low; i < end; ++i) {
      const double upper = cells[i + 1], apart = a[i] - b;
      const double reached = std::min(corner, upper);
      left = (Cost == dtw_cost::squared ? apart * apart : std::abs(apart)) + std::min(reached, left);
      cells[i + 1] = left;
      corner = upper;
    }
  }
  return cells[n];
}

template <dtw_cost Cost>
double warp(const double* a, std::size_t n, const double* reversed, std::size_t m, std::size_t band,
            double* cells) {
  constexpr std::size_t kEnough = 10;  // cells of a diagonal, on average; measured by bench/ops/metrics.cpp
  if (std::min(n / 2, band) < kEnough) return dtw_by_rows<Cost>(a, n, reversed, m, band, cells);
  double sum = 0;
  isa::run<dtw_kernel<Cost>>(&sum, a, n, reversed, m, band, cells);
  return sum;
}

template <class Number>
void require_no_gap(std::span<const Number> values, const char* which) {
  for (std::size_t t = 0; t < values.size(); ++t)
    if (std::isnan(values[t]))
      throw usage_error(std::string("dtw: number ") + std::to_string(t) + " of the " + which +
                        " sequence is a gap; leave the gaps out of both, as dtw_accumulator does.");
}

}  // namespace detail

/// Dynamic time warping: the least cost of matching two sequences in order, each point with at least one of
/// the other, first with first and last with last.
///
/// Symmetric. With a band of the longer length or more it is exact; for equal lengths a band of 0 gives the
/// Euclidean (or the summed absolute) distance, and a wider one never more. Time O(n m), with a band
/// O((n + m) band); memory O(n + m), the table of costs is not kept. Sums differ in rounding from one
/// instruction set to another.
///
/// Source: Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE
/// Transactions on Acoustics, Speech, and Signal Processing 1978; steps of weight 1, without slope
/// constraint.
/// @throws usage_error where a sequence is empty or holds a gap
template <numbers First, numbers Second>
double dtw(const First& first, const Second& second, const dtw_options& options = {}) {
  const auto x = detail::view_of(first);
  const auto y = detail::view_of(second);
  if (x.empty() || y.empty())
    throw usage_error("dtw: a sequence of no numbers cannot be matched; give both at least one.");
  detail::require_no_gap(x, "first");
  detail::require_no_gap(y, "second");
  const std::size_t n = std::min(x.size(), y.size()), m = std::max(x.size(), y.size());
  const std::size_t band = std::max(std::min(options.band.value_or(m), m), m - n);

  const std::size_t short_end = n + detail::kDtwSlack, long_end = m + detail::kDtwSlack;
  const std::size_t needed = short_end + long_end + 3 * (short_end + 2);
  std::array<double, 256> few;  // spares short sequences, of which there are many, the heap
  std::vector<double> many(needed > few.size() ? needed : 0);
  double* const space = many.empty() ? few.data() : many.data();
  double* const reversed = space + short_end;
  const auto copy = [&](auto shorter, auto longer) {
    for (std::size_t i = 0; i < short_end; ++i) space[i] = i < n ? static_cast<double>(shorter[i]) : 0;
    for (std::size_t j = 0; j < long_end; ++j)
      reversed[j] = j < m ? static_cast<double>(longer[m - 1 - j]) : 0;
  };
  if (x.size() <= y.size())
    copy(x, y);
  else
    copy(y, x);
  double* const cells = reversed + long_end;
  if (options.cost == dtw_cost::absolute)
    return detail::warp<dtw_cost::absolute>(space, n, reversed, m, band, cells);
  return std::sqrt(detail::warp<dtw_cost::squared>(space, n, reversed, m, band, cells));
}

/// The mean distance of forecasts to what came, gathered window by window.
class dtw_accumulator {
 public:
  explicit dtw_accumulator(dtw_options options = {}) : options_(options) {}

  /// Adds one window; steps with a gap in either are left out of both, and the rest close up.
  /// A window without any step that both know is not counted.
  /// @throws usage_error unless both are of one length
  template <numbers Truth, numbers Forecast>
  void add(const Truth& truth, const Forecast& forecast) {
    const auto y = detail::view_of(truth);
    const auto f = detail::view_of(forecast);
    detail::require_size("dtw_accumulator", "forecasts", f.size(), y.size());
    truth_.clear();
    forecast_.clear();
    for (std::size_t h = 0; h < y.size(); ++h) {
      if (std::isnan(y[h]) || std::isnan(f[h])) continue;
      truth_.push_back(static_cast<double>(y[h]));
      forecast_.push_back(static_cast<double>(f[h]));
    }
    if (truth_.empty()) return;
    sum_ += dtw(truth_, forecast_, options_);
    ++count_;
  }

  /// Takes in the windows of another, of the same options.
  void merge(const dtw_accumulator& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }

  /// Over the windows; NaN where there were none.
  double mean() const { return sum_ / static_cast<double>(count_); }
  std::size_t count() const { return count_; }

 private:
  dtw_options options_;
  std::vector<double> truth_, forecast_;
  double sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace fmsb::metrics
