#pragma once
#include "fmsb/data/series.hpp"         // data::series
#include "fmsb/models/ar/lag_gram.hpp"  // doubles
#include "fmsb/models/ar/orders.hpp"    // detail::cholesky_with_ridge
#include "fmsb/nn/cholesky.hpp"         // factorise_lower, solve_factorised

#include <algorithm>  // std::min_element
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <vector>     // std::vector

/// Partial pooling: one common model, and each channel shrunk towards it by a strength that validation
/// chooses. Strength 0 is a model of the channel's own, infinity the common one. Everything is closed form.
namespace fmsb::ar {

/// The strengths that are tried for every channel.
inline constexpr std::array kPoolingStrengths{0.0, 0.03, 0.3,
                                              3.0, 30.0, std::numeric_limits<double>::infinity()};

/// What validation chose.
struct pooling_study {
  std::vector<double> strengths;       ///< one a channel
  std::vector<double> validation_mse;  ///< one a channel, of the chosen strength

  /// Records the least of one channel's errors, in the order of `kPoolingStrengths`.
  void add_least(const std::vector<double>& mse) {
    const auto least = std::min_element(mse.begin(), mse.end());
    strengths.push_back(kPoolingStrengths[static_cast<std::size_t>(least - mse.begin())]);
    validation_mse.push_back(*least);
  }
};

namespace detail {

/// Normal equations M w = r of one regression or several.
struct equations {
  tensor matrix;  // [L, L]
  tensor right;   // [L, steps]
};

/// Least squares of a channel with (M_c + s M) w = r_c + s M w0: the mean Gram matrix M measures the distance
/// to the common solution w0.
class shrinkage {
 public:
  shrinkage(tensor mean_matrix, tensor common)
      : mean_matrix_(std::move(mean_matrix)),
        common_(std::move(common)),
        // Columns contiguous, as the right-hand sides lie.
        mean_right_(at::mm(common_.t(), mean_matrix_).t()),
        factor_(at::empty_like(mean_matrix_)) {}

  /// @return [L, steps]
  tensor solve(const tensor& matrix, const tensor& right, double strength) {
    if (strength == std::numeric_limits<double>::infinity()) return common_;
    at::add_out(factor_, matrix, mean_matrix_, strength);
    // A factorisation in place spares the memory that five strengths of every channel would ask for.
    const auto lower = nn::factorise_lower(factor_)
                           ? factor_
                           : cholesky_with_ridge(matrix.add(mean_matrix_, strength)).lower;
    return nn::solve_factorised(lower, strength == 0 ? right : right.add(mean_right_, strength));
  }

 private:
  tensor mean_matrix_, common_, mean_right_, factor_;
};

inline data::series one_channel(const data::series& x, std::size_t c) {
  const std::array only{c};
  return x.select(only);
}

}  // namespace detail

}  // namespace fmsb::ar
