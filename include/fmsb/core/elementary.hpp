#pragma once
#include <bit>          // std::bit_cast
#include <cstdint>      // std::uint64_t
#include <limits>       // std::numeric_limits
#include <type_traits>  // std::is_constant_evaluated

/// Logarithm, exponential and square root that give the same bits in constant expressions, under every
/// compiler and with every C library, within 2 units in the last place. They serve where an answer must be
/// repeatable (sampling); where speed counts, use `<cmath>`.
namespace fmsb::elementary {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// ln 2 in two parts; the first ends in zeros, so that its product with an exponent is exact
inline constexpr double ln2_high = 0x1.62e42fefap-1;
inline constexpr double ln2_low = 0x1.cf79abc9e3b39p-40;

/// A product on its way into a sum. Compilers may fuse the two into one instruction that rounds once
/// instead of twice, where the machine has it; hidden behind this, the product is rounded everywhere.
constexpr double rounded(double product) {
  if (!std::is_constant_evaluated()) asm("" : "+m"(product));
  return product;
}

/// Natural logarithm; NaN below 0, minus infinity at 0.
constexpr double log(double x) {
  if (!(x >= 0)) return not_a_number;
  if (x == 0) return -infinity;
  if (x == infinity) return x;
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal: bring the leading one into place
    x *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0xfffffffffffffu) | 0x3ff0000000000000u);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    ++exponent;
  }
  // ln m = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1)/(m + 1), |s| <= 0.172
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double series = 0;
  for (int k = 25; k >= 3; k -= 2) series = rounded(series * square) + 1.0 / k;
  const double correction = s * square * series;
  const double tail = 2 * correction + rounded(exponent * ln2_low);
  return exponent * ln2_high + (2 * s + tail);
}

/// e to the power of x; infinity above about 709.78, 0 below about -745.
constexpr double exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return infinity;
  if (x < -745.1332191019412) return 0;
  const double ratio = rounded(x * 1.4426950408889634);
  const int exponent = static_cast<int>(ratio < 0 ? ratio - 0.5 : ratio + 0.5);
  // e^x = 2^n e^r with r = high - low, |r| <= 0.347; the sum 1 + r + r^2 (1/2 + r/6 + ...) from its small end
  const double high = x - exponent * ln2_high;
  const double low = rounded(exponent * ln2_low);
  const double rest = high - low;
  double series = 1;
  for (int k = 17; k >= 3; --k) series = 1 + series * rest / k;
  double result = 1 + (high + (rounded(rest * rest * 0.5 * series) - low));
  // scaled in two steps, so that neither power of two leaves the range of doubles
  const int half = exponent / 2;
  const auto power = [](int n) { return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52); };
  result *= power(half);
  return result * power(exponent - half);
}

/// Square root; NaN below 0.
constexpr double sqrt(double x) {
  if (!(x >= 0)) return not_a_number;
  if (x == 0 || x == infinity) return x;
  if (x < 0x1p-1000) return sqrt(x * 0x1p200) * 0x1p-100;
  double root = std::bit_cast<double>((std::bit_cast<std::uint64_t>(x) >> 1) + 0x1ff8000000000000u);
  for (int step = 0; step < 5; ++step) root = 0.5 * (root + x / root);  // Newton: 5 steps from 4 % error
  return root;
}

}  // namespace fmsb::elementary
