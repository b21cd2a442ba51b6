#pragma once
#include "fmsb/core/extent.hpp"        // index_t
#include "fmsb/core/number_text.hpp"   // number_text
#include "fmsb/data/random_draws.hpp"  // draw_below
#include "fmsb/nn/tensor.hpp"          // tensor

#include <cmath>    // std::exp, std::pow, std::sin
#include <cstddef>  // std::size_t
#include <numbers>  // std::numbers::pi
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::chronos {

/// A covariance function of two points of time, x = i / (n - 1) for rows i of n, so that a series spans [0,
/// 1].
///
///     constant               1
///     white_noise            parameter where i = j, else 0
///     linear                 parameter^2 + x x'
///     rbf                    exp(-(x - x')^2 / (2 parameter^2))
///     rational_quadratic     (1 + (x - x')^2 / (2 parameter))^-parameter
///     periodic               exp(-2 sin^2(pi (x - x') / parameter))
///     exponential            exp(-|x - x'| / parameter)
///
/// Source: Ansari et al., "Chronos", TMLR 2024, appendix A, table 2; scikit-learn's kernels of these names.
/// The exponential one (Matern 1/2, an autoregression of order 1) is not among theirs.
struct kernel {
  enum class kind { constant, white_noise, linear, rbf, rational_quadratic, periodic, exponential };
  kind is = kind::constant;
  double parameter = 1;  ///< noise level, sigma_0, length scale, alpha, period

  friend bool operator==(const kernel&, const kernel&) = default;

  /// Covariance of rows i and j of n >= 2.
  double operator()(index_t i, index_t j, index_t n) const {
    const auto x = static_cast<double>(i) / static_cast<double>(n - 1);
    const auto y = static_cast<double>(j) / static_cast<double>(n - 1);
    if (is == kind::linear) return parameter * parameter + x * y;
    return of_lag(i < j ? j - i : i - j, n);
  }

  /// Whether it depends on the distance of two rows alone.
  bool stationary() const { return is != kind::linear; }

  /// Covariance of rows that far apart; of a stationary kernel.
  double of_lag(index_t lag, index_t n) const {
    const double d = static_cast<double>(lag) / static_cast<double>(n - 1);
    switch (is) {
      case kind::white_noise:
        return lag == 0 ? parameter : 0;
      case kind::rbf:
        return std::exp(-d * d / (2 * parameter * parameter));
      case kind::rational_quadratic:
        return std::pow(1 + d * d / (2 * parameter), -parameter);
      case kind::periodic: {
        const double s = std::sin(std::numbers::pi * d / parameter);
        return std::exp(-2 * s * s);
      }
      case kind::exponential:
        return std::exp(-d / parameter);
      default:
        return 1;
    }
  }

  /// "periodic(0.0234375)"
  std::string text() const {
    constexpr const char* names[]{"constant",           "white_noise", "linear",     "rbf",
                                  "rational_quadratic", "periodic",    "exponential"};
    const std::string name = names[static_cast<std::size_t>(is)];
    return is == kind::constant ? name : name + "(" + number_text(parameter) + ")";
  }
};

/// The kernels that KernelSynth draws from, 33 of them: seasons of hourly to yearly data (in rows of 1024),
/// three of each other kind but the constant one. A kernel that stands twice is twice as likely.
inline std::vector<kernel> kernel_bank() {
  std::vector<kernel> bank;
  for (const double rows :
       {24, 48, 96, 24 * 7, 48 * 7, 96 * 7, 7, 14, 30, 60, 365, 365 * 2, 4, 26, 52, 4, 6, 12, 4, 4 * 10, 10})
    bank.push_back({kernel::kind::periodic, rows / 1024});
  for (const double sigma : {0.0, 1.0, 10.0}) bank.push_back({kernel::kind::linear, sigma});
  for (const double scale : {0.1, 1.0, 10.0}) bank.push_back({kernel::kind::rbf, scale});
  for (const double alpha : {0.1, 1.0, 10.0}) bank.push_back({kernel::kind::rational_quadratic, alpha});
  for (const double level : {0.1, 1.0}) bank.push_back({kernel::kind::white_noise, level});
  bank.push_back({kernel::kind::constant, 1});
  return bank;
}

/// That bank and as many kernels of series that change from row to row, for series of `length` rows: the
/// exponential one that forgets within 2, 4, .. 128 rows, four times each, and white noise, five times. What
/// is measured mostly does; a model that has seen smooth series alone takes the last value for the next.
inline std::vector<kernel> rough_kernel_bank(index_t length) {
  auto bank = kernel_bank();
  const auto rows = static_cast<double>(length - 1);
  for (int times = 0; times < 4; ++times)
    for (const double memory : {2, 4, 8, 16, 32, 64, 128})
      bank.push_back({kernel::kind::exponential, memory / rows});
  for (const double level : {0.1, 0.1, 0.3, 0.3, 1.0}) bank.push_back({kernel::kind::white_noise, level});
  return bank;
}

/// Kernels joined from left to right by sums and products, ((a + b) * c) + d.
struct kernel_sum {
  struct term {
    kernel of{};
    bool times = false;  ///< multiplied with what stands before it, not added; the first is neither
  };
  std::vector<term> terms{};

  double operator()(index_t i, index_t j, index_t n) const {
    double value = 0;
    for (const auto& [of, times] : terms) value = times ? value * of(i, j, n) : value + of(i, j, n);
    return value;
  }

  std::string text() const {
    std::string out;
    for (std::size_t k = 0; k < terms.size(); ++k)
      out = k == 0 ? terms[k].of.text()
                   : "(" + out + (terms[k].times ? " * " : " + ") + terms[k].of.text() + ")";
    return out;
  }

  /// [n, n] double; only the lower triangle is filled, zero above it.
  tensor lower_covariance(index_t n) const {
    auto out = at::zeros({n, n}, at::TensorOptions().dtype(at::kDouble));
    auto* const values = out.mutable_data_ptr<double>();
    std::vector<double> lags(static_cast<std::size_t>(n)), row(static_cast<std::size_t>(n));
    for (const auto& [of, times] : terms) {
      if (of.stationary())
        for (index_t lag = 0; lag < n; ++lag) lags[static_cast<std::size_t>(lag)] = of.of_lag(lag, n);
      for (index_t i = 0; i < n; ++i) {
        double* const into = values + i * n;
        for (index_t j = 0; j <= i; ++j)
          row[static_cast<std::size_t>(j)] =
              of.stationary() ? lags[static_cast<std::size_t>(i - j)] : of(i, j, n);
        for (index_t j = 0; j <= i; ++j)
          into[j] =
              times ? into[j] * row[static_cast<std::size_t>(j)] : into[j] + row[static_cast<std::size_t>(j)];
      }
    }
    return out;
  }
};

/// From 1 to `most` kernels of the bank, each equally likely and with replacement, joined by + or * with
/// equal probability: algorithm 2 of Ansari et al., lines 1 to 5.
template <class Generator>
kernel_sum draw_kernels(Generator& bits, const std::vector<kernel>& bank, std::size_t most) {
  kernel_sum out;
  out.terms.resize(1 + data::draw_below(bits, most));
  for (auto& t : out.terms) t.of = bank[data::draw_below(bits, bank.size())];
  for (std::size_t k = 1; k < out.terms.size(); ++k) out.terms[k].times = data::draw_below(bits, 2) == 1;
  return out;
}

}  // namespace fmsb::chronos
