#pragma once
#include "fmsb/adapt/kept.hpp"   // shared_table
#include "fmsb/adapt/waves.hpp"  // kFoldFrom
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/torch.hpp"     // tensor

#include <ATen/core/MT19937RNGEngine.h>  // at::mt19937: the engine of LibTorch's CPU generator
#include <ATen/ops/fft_irfft2.h>         // at::fft_irfft2
#include <ATen/ops/fft_rfft2.h>          // at::fft_rfft2
#include <ATen/ops/view_as_real.h>       // at::view_as_real

#include <cmath>          // std::cos, std::sin
#include <compare>        // operator<=>
#include <cstddef>        // std::size_t
#include <cstdint>        // std::uint32_t, std::uint64_t
#include <limits>         // std::numeric_limits
#include <memory>         // std::shared_ptr
#include <numbers>        // std::numbers::pi
#include <unordered_map>  // std::unordered_map
#include <vector>         // std::vector

/// Where a weight's spectrum has its entries, and what a few entries amount to.
namespace fmsb::adapt {

namespace detail {

/// The first `count` of a permutation of 0 .. size-1, shuffled from the front with 32-bit draws. What a full
/// array would hold is remembered only where it was touched.
inline std::vector<index_t> front_shuffled(index_t size, index_t count, std::uint64_t seed) {
  at::mt19937 draw(seed);
  std::unordered_map<index_t, index_t> moved;
  const auto at = [&](index_t i) {
    const auto found = moved.find(i);
    return found == moved.end() ? i : found->second;
  };
  std::vector<index_t> first;
  first.reserve(static_cast<std::size_t>(count));
  for (index_t i = 0; i < count; ++i) {
    const index_t other = i + 1 < size ? i + static_cast<index_t>(draw()) % (size - i) : i;
    first.push_back(at(other));
    moved[other] = at(i);
  }
  return first;
}

/// The same for an array that is shuffled as it grows, with 64-bit draws: every later number may still land
/// among the first, so all are drawn, but only the first are kept.
inline std::vector<index_t> grown_shuffled(index_t size, index_t count, std::uint64_t seed) {
  at::mt19937 draw(seed);
  std::vector<index_t> first(static_cast<std::size_t>(count));
  for (index_t i = 0; i < size; ++i) {
    const std::uint64_t high = draw(), low = draw();
    const auto other = static_cast<index_t>((high << 32 | low) % static_cast<std::uint64_t>(i + 1));
    if (i < count) first[static_cast<std::size_t>(i)] = first[static_cast<std::size_t>(other)];
    if (other < count) first[static_cast<std::size_t>(other)] = i;
  }
  return first;
}

}  // namespace detail

/// The first `count` numbers of torch.randperm(size) from a CPU generator with this seed, in O(count) memory
/// and, below 2^32 / 20 numbers, O(count) time; LibTorch shuffles larger permutations in another way, which
/// takes a draw for each number.
///
/// @param count  at most `size`
inline std::vector<index_t> first_of_permutation(index_t size, index_t count, std::uint64_t seed) {
  return size < std::numeric_limits<std::uint32_t>::max() / 20 ? detail::front_shuffled(size, count, seed)
                                                               : detail::grown_shuffled(size, count, seed);
}

/// Estimated time of the two forms of an adapter with n entries in the spectrum of a weight [out, in],
/// measured on AVX-512 processors; only their ratio counts.
struct spectrum_costs {
  double out, in, n;
  double flop = 0.01;  ///< ns: a product of matrices
  double add = 0.8;    ///< ns a weight: writing W + dW
  double fold = 0.9;   ///< ns a position: folding a row for its product with the waves, or unfolding it
  double read = 0.4;   ///< ns a number of the waves: fetching them, forward and backward

  constexpr double weights() const { return out * in; }
  /// ns a weight: a real Fourier transform in two dimensions. A large one runs from memory, not from a cache.
  constexpr double transform() const { return weights() < 2e6 ? 3.4 : 11; }
  /// Whether a transform makes dW from its entries in less time than a product of the factors.
  constexpr bool form_by_transform() const { return transform() < 4 * n * flop; }
  constexpr double form() const {
    return weights() * (add + (form_by_transform() ? transform() : 4 * n * flop));
  }
  /// A token through both factors, whose products cost half once it is folded.
  constexpr double branch() const {
    return (out + in) * (n < static_cast<double>(detail::kFoldFrom) ? 4 * n * flop : 2 * n * flop + fold);
  }
  /// Tokens from which the dense form takes less time, forward alone or with the gradients.
  constexpr double dense_from(bool gradients) const {
    const double by_factors = form() / branch();
    if (!gradients) return by_factors;
    const double rest = 2 * branch() - 2 * weights() * flop;
    if (!(rest > 0)) return by_factors;
    const double by_transform = (form() + weights() * transform() - n * (out + in) * read) / rest;
    return by_factors < by_transform ? by_factors : by_transform;
  }
  /// Whether the gradient of the entries comes from the gradient of all of dW.
  constexpr bool gradient_by_transform(double tokens) const {
    return tokens * (branch() - 2 * weights() * flop) > weights() * transform();
  }
};

namespace detail {

struct spectrum_key {
  index_t out, in, n;
  std::uint64_t seed;
  at::ScalarType type;
  at::DeviceType device;
  index_t device_index;
  friend auto operator<=>(const spectrum_key&, const spectrum_key&) = default;
};

/// What a spectrum with n entries at fixed locations (row k, column l) needs: dW = U' diag(c, c) V / (out in)
/// with the rows cos, -sin (2 pi p k / out) of U and cos, sin (2 pi q l / in) of V. 2n (out + in) numbers.
struct spectrum_basis {
  spectrum_key key;
  tensor u;  ///< [2n, out], the factor 1 / (out in) included
  tensor v;  ///< [2n, in]
  // The half spectrum that a real transform takes: entry `from[i]` counts half at the flat position `to[i]`.
  tensor from, to;
  tensor read_at;  ///< [n]: where the half spectrum has each entry, or its conjugate

  explicit spectrum_basis(const spectrum_key& k) : key(k) {
    const auto locations = first_of_permutation(k.out * k.in, k.n, k.seed);
    const index_t half = k.in / 2 + 1;
    std::vector<index_t> rows, columns, sources, places, reads;
    for (index_t i = 0; i < k.n; ++i) {
      const index_t row = locations[static_cast<std::size_t>(i)] / k.in,
                    column = locations[static_cast<std::size_t>(i)] % k.in;
      const index_t mirrored_row = (k.out - row) % k.out, mirrored_column = (k.in - column) % k.in;
      rows.push_back(row);
      columns.push_back(column);
      if (column < half) sources.push_back(i), places.push_back(row * half + column);
      if (mirrored_column < half)
        sources.push_back(i), places.push_back(mirrored_row * half + mirrored_column);
      reads.push_back(places.back());
    }
    const at::Device device(k.device, static_cast<c10::DeviceIndex>(k.device_index));
    u = waves(rows, k.out, -1, 1 / (static_cast<double>(k.out) * static_cast<double>(k.in)))
            .to(device, k.type);
    v = waves(columns, k.in, 1, 1).to(device, k.type);
    const auto indices = [&](std::vector<index_t>& values) {
      return at::from_blob(values.data(), {static_cast<index_t>(values.size())}, at::kLong)
          .to(device, at::kLong, /*non_blocking=*/false, /*copy=*/true);
    };
    from = indices(sources);
    to = indices(places);
    read_at = indices(reads);
  }

  /// dW [out, in] from the entries c [n], by transform.
  tensor by_transform(const tensor& c) const {
    const index_t half = key.in / 2 + 1;
    auto spectrum = at::zeros({key.out * half}, c.options());
    spectrum.index_add_(0, to, c.index_select(0, from), 0.5);
    return at::fft_irfft2(spectrum.view({key.out, half}), at::IntArrayRef{key.out, key.in});
  }

  /// The entries' gradient [n] from that of dW.
  tensor entries_of(const tensor& gradient) const {
    const auto transformed = at::view_as_real(at::fft_rfft2(gradient)).select(-1, 0).reshape({-1});
    return transformed.index_select(0, read_at) /
           (static_cast<double>(key.out) * static_cast<double>(key.in));
  }

 private:
  /// [2n, extent]: scale * cos, then sign * scale * sin of 2 pi f j / extent.
  static tensor waves(const std::vector<index_t>& frequencies, index_t extent, double sign, double scale) {
    const auto n = static_cast<index_t>(frequencies.size());
    std::vector<double> cosine(static_cast<std::size_t>(extent)), sine(cosine.size());
    for (std::size_t j = 0; j < cosine.size(); ++j) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(extent);
      cosine[j] = scale * std::cos(angle);
      sine[j] = sign * scale * std::sin(angle);
    }
    auto result = at::empty({2 * n, extent}, at::kDouble);
    double* even = result.mutable_data_ptr<double>();
    double* odd = even + n * extent;
    for (const auto f : frequencies)
      for (index_t j = 0; j < extent; ++j) {
        const auto at = static_cast<std::size_t>(f * j % extent);  // exact, where an angle is not
        *even++ = cosine[at];
        *odd++ = sine[at];
      }
    return result;
  }
};

inline std::shared_ptr<const spectrum_basis> shared_basis(const spectrum_key& key) {
  static shared_table<spectrum_key, spectrum_basis> table;
  return table.get(key, [](const spectrum_key& k) { return spectrum_basis(k); });
}

}  // namespace detail
}  // namespace fmsb::adapt
