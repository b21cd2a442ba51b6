#pragma once
#include "fmsb/core/isa.hpp"  // isa::call, isa::pack, FMSB_KERNEL, FMSB_UNROLL

#include <algorithm>  // std::lower_bound, std::max, std::sort, std::unique
#include <cmath>      // std::cos, std::sin
#include <cstddef>    // std::size_t
#include <cstdlib>    // std::abs
#include <numbers>    // std::numbers::pi
#include <vector>     // std::vector

/// The Fourier transform of numbers that stand at a few places only, and that of a spectrum at a few places
/// only: products with cosines and sines, cheaper than a fast transform up to some eighty places. Without
/// LibTorch.
namespace fmsb::nn {

/// Of n numbers those at some offsets o, taken round the circle:
///
///     X[k] = sum_o u[o] exp(2 pi i k o / n) = sum_m even[m] cos(2 pi k m / n) + i odd[m] sin(2 pi k m / n)
///
/// over the offsets' magnitudes m, even[m] = u[m] + u[-m] and odd[m] = u[m] - u[-m]. Where n is even, the
/// sums over the even m and over the odd m are those of frequency n/2 - k, too, but for their signs: a
/// quarter of the frequencies is summed, and all of 0...n/2 follow. `part` tells the two kinds of m; where
/// n is odd, the parts are just two halves of all m.
template <class Real>
class pruned_plan {
 public:
  /// Where an offset's number goes: even[place] += u, odd[place] += sign u.
  struct term {
    std::size_t place;  ///< 2 * (number of the magnitude within its part) + part
    int sign;           ///< 0 of the offset 0
  };

  pruned_plan(std::size_t of_length, const std::vector<int>& offsets) : length_(of_length) {
    std::vector<std::size_t> parts[2], all;
    for (const int o : offsets) all.push_back(static_cast<std::size_t>(std::abs(o)));
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::vector<std::size_t> places;  // of `all`
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t part = folded() ? all[i] % 2 : i % 2;
      places.push_back(2 * parts[part].size() + part);
      parts[part].push_back(all[i]);
    }
    for (const int o : offsets) {
      const auto at = std::lower_bound(all.begin(), all.end(), static_cast<std::size_t>(std::abs(o)));
      terms_.push_back({places[static_cast<std::size_t>(at - all.begin())], (o > 0) - (o < 0)});
    }
    depth_ = std::max(parts[0].size(), parts[1].size());

    cosines_.resize(sums() * depth_ * 2);
    sines_ = cosines_turned_ = sines_turned_ = cosines_;
    for (std::size_t part = 0; part < 2; ++part)
      for (std::size_t j = 0; j < parts[part].size(); ++j)
        for (std::size_t k = 0; k < sums(); ++k) {
          const auto [cosine, sine] = wave(k * parts[part][j] % length_);
          cosines_[(k * depth_ + j) * 2 + part] = cosines_turned_[(j * sums() + k) * 2 + part] = cosine;
          sines_[(k * depth_ + j) * 2 + part] = sines_turned_[(j * sums() + k) * 2 + part] = sine;
        }
  }

  std::size_t length() const { return length_; }
  bool folded() const { return length_ % 2 == 0; }
  std::size_t frequencies() const { return length_ / 2 + 1; }
  /// Frequencies that are summed: 0, 1, ...
  std::size_t sums() const { return folded() ? length_ / 4 + 1 : frequencies(); }
  /// The frequency that follows from k's sums; k where there is none.
  std::size_t mirror(std::size_t k) const { return folded() ? length_ / 2 - k : k; }
  /// Magnitudes of a part: places are twice as many.
  std::size_t depth() const { return depth_; }
  /// Of each offset, in their order.
  const std::vector<term>& terms() const { return terms_; }
  /// Vectors of a thread's memory for two columns.
  std::size_t scratch() const { return 8 * (depth_ + sums()); }

  /// [sums, depth, 2 parts], and turned [depth, sums, 2 parts]
  const Real* cosines() const { return cosines_.data(); }
  const Real* sines() const { return sines_.data(); }
  const Real* cosines_turned() const { return cosines_turned_.data(); }
  const Real* sines_turned() const { return sines_turned_.data(); }

 private:
  struct cosine_and_sine {
    Real cosine, sine;
  };
  /// Of 2 pi at / n; exact at quarters of the circle.
  cosine_and_sine wave(std::size_t at) const {
    if (4 * at % length_ == 0) {
      constexpr Real turns[] = {1, 0, -1, 0, 1};
      const std::size_t quarter = 4 * at / length_;
      return {turns[quarter], quarter == 0 ? Real{0} : turns[quarter - 1]};
    }
    const double angle = 2 * std::numbers::pi * static_cast<double>(at) / static_cast<double>(length_);
    return {static_cast<Real>(std::cos(angle)), static_cast<Real>(std::sin(angle))};
  }

  std::size_t length_, depth_ = 0;
  std::vector<Real> cosines_, sines_, cosines_turned_, sines_turned_;
  std::vector<term> terms_;
};

namespace detail {

/// out[row, part, column] = sum over depth of table[row, depth, part] in[depth, part, column], a lane each.
template <class Real>
struct pruned_product {
  template <int Lanes>
  FMSB_KERNEL void run(const Real* table, std::size_t rows, std::size_t depth, const Real* in, Real* out) {
    constexpr std::size_t kRows = Lanes == 8 ? 6 : 3;  // 24 sums in 32 registers, 12 in 16
    std::size_t row = 0;
    for (; row + kRows <= rows; row += kRows) block<Lanes, kRows>(table, row, depth, in, out);
    for (; row < rows; ++row) block<Lanes, 1>(table, row, depth, in, out);
  }

 private:
  template <int Lanes, std::size_t Rows>
  FMSB_KERNEL void block(const Real* table, std::size_t first, std::size_t depth, const Real* in, Real* out) {
    using vec = typename isa::pack<Lanes, Real>::type;
    constexpr std::size_t size = isa::pack<Lanes, Real>::size;
    vec sum[Rows][4];
    FMSB_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) FMSB_UNROLL
    for (std::size_t i = 0; i < 4; ++i) sum[r][i] = vec{};
    const Real* factor = table + first * depth * 2;
    for (std::size_t j = 0; j < depth; ++j, factor += 2, in += 4 * size) {
      FMSB_UNROLL
      for (std::size_t part = 0; part < 2; ++part) {
        const vec left = *reinterpret_cast<const vec*>(in + 2 * part * size),
                  right = *reinterpret_cast<const vec*>(in + (2 * part + 1) * size);
        FMSB_UNROLL
        for (std::size_t r = 0; r < Rows; ++r) {
          const Real by = factor[r * depth * 2 + part];
          sum[r][2 * part] += by * left;
          sum[r][2 * part + 1] += by * right;
        }
      }
    }
    FMSB_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) FMSB_UNROLL
    for (std::size_t i = 0; i < 4; ++i)
      *reinterpret_cast<vec*>(out + ((first + r) * 4 + i) * size) = sum[r][i];
  }
};

}  // namespace detail
}  // namespace fmsb::nn
