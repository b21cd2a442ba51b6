#pragma once
#include "fmsb/core/error.hpp"              // usage_error
#include "fmsb/core/random_bits.hpp"        // random_bits
#include "fmsb/data/random_draws.hpp"       // draw_normal
#include "fmsb/data/series.hpp"             // series
#include "fmsb/models/chronos/kernels.hpp"  // kernel_bank, draw_kernels
#include "fmsb/nn/cholesky.hpp"             // factorise_lower

#include <cstdint>  // std::uint64_t
#include <string>   // std::to_string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::chronos {

/// The factor L of a covariance, L L' = K + jitter. A covariance of smooth or periodic series is singular in
/// double precision, so that a multiple of the identity is added: 1e-8 of the mean variance (white noise of a
/// ten-thousandth of a series' size), ten times as much again where rounding asks for it.
///
/// @param covariance  [n, n] double; only the lower triangle is read
/// @return [n, n] double, zero above the diagonal
/// @throws usage_error where that does not help: what was given is no covariance
inline tensor prior_factor(const tensor& covariance) {
  const double variance = covariance.diagonal().mean().item<double>();
  for (double share = 1e-8; share < 1e-3; share *= 10) {
    auto lower = covariance.clone();
    lower.diagonal().add_(share * variance);
    if (nn::factorise_lower(lower)) return lower.tril_();
  }
  throw usage_error(
      "fmsb::chronos::prior_factor: the matrix is not positive semidefinite; no series has such a "
      "covariance.");
}

struct kernel_synth_options {
  index_t length = 1024;
  std::size_t most_kernels = 5;
  std::uint64_t seed = 0;
};

/// KernelSynth: series drawn from Gaussian processes whose kernels are random sums and products of those of a
/// bank.
///
/// Series number i depends on the seed and i alone (to within 1e-6 of its size at every number of threads:
/// the order in which a factorisation sums differs).
///
/// Source: Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024, section 4.2, algorithm
/// 2, and the script kernel-synth.py released with it.
class kernel_synth {
 public:
  /// @throws usage_error for lengths below 2, no kernels, or an empty bank
  explicit kernel_synth(const kernel_synth_options& o = {}, std::vector<kernel> bank = kernel_bank())
      : options_(o), bank_(std::move(bank)) {
    if (o.length < 2 || o.most_kernels == 0 || bank_.empty())
      throw usage_error("fmsb::chronos::kernel_synth: series of " + std::to_string(o.length) +
                        " rows from up to " + std::to_string(o.most_kernels) + " of " +
                        std::to_string(bank_.size()) +
                        " kernels were asked for; give 2 rows and a kernel at least.");
  }

  /// What the series of a number is drawn from.
  kernel_sum kernels(std::uint64_t number) const {
    auto bits = bits_of(number);
    return draw_kernels(bits, bank_, options_.most_kernels);
  }

  /// The series of a number, one channel called "kernel_synth".
  data::series draw(std::uint64_t number) const {
    auto bits = bits_of(number);
    const auto from = draw_kernels(bits, bank_, options_.most_kernels);
    auto normals = at::empty({options_.length}, at::TensorOptions().dtype(at::kDouble));
    for (double& x : nn::values_of(normals)) x = data::draw_normal(bits);
    const auto values = at::mv(prior_factor(from.lower_covariance(options_.length)), normals);
    const auto drawn = nn::values_of(values);
    return {{"kernel_synth"}, {}, {drawn.begin(), drawn.end()}};
  }

  /// The series of numbers [first, first + count).
  std::vector<data::series> draw(std::uint64_t first, std::size_t count) const {
    std::vector<data::series> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) out.push_back(draw(first + i));
    return out;
  }

 private:
  random_bits bits_of(std::uint64_t number) const { return random_bits(options_.seed, number); }

  kernel_synth_options options_;
  std::vector<kernel> bank_;
};

}  // namespace fmsb::chronos
