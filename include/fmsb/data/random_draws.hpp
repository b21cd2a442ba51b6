#pragma once
#include "fmsb/core/elementary.hpp"   // log, sqrt: the same bits everywhere
#include "fmsb/core/random_bits.hpp"  // unit_interval

#include <cstdint>  // std::uint64_t

/// Draws from a generator of 64 random bits that are the same on every machine, as those of `<random>` are
/// not.
namespace fmsb::data {

/// A whole number from 0 to n - 1, each equally likely to within n / 2^52.
template <class Generator>
constexpr std::uint64_t draw_below(Generator& bits, std::uint64_t n) {
  return static_cast<std::uint64_t>(unit_interval(bits) * static_cast<double>(n));
}

/// Standard normal. Source: the polar method, Marsaglia and Bray, "A convenient method for generating normal
/// variables", SIAM Review 6 (1964); of its two numbers the second is left, so that no state lies outside
/// `bits`.
template <class Generator>
constexpr double draw_normal(Generator& bits) {
  for (;;) {
    const double x = 2 * unit_interval(bits) - 1, y = 2 * unit_interval(bits) - 1;
    const double square = elementary::rounded(x * x) + elementary::rounded(y * y);
    if (square < 1) return x * elementary::sqrt(-2 * elementary::log(square) / square);
  }
}

/// Gamma with shape above 0 and scale 1. Source: Marsaglia and Tsang, "A simple method for generating gamma
/// variables", ACM TOMS 26 (2000), with the boost of its section 6 below shape 1.
template <class Generator>
constexpr double draw_gamma(Generator& bits, double shape) {
  if (shape < 1) {
    const double above = draw_gamma(bits, shape + 1);
    return above * elementary::exp(elementary::log(unit_interval(bits)) / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / elementary::sqrt(9 * d);
  for (;;) {
    const double x = draw_normal(bits);
    const double root = 1 + elementary::rounded(c * x);
    if (root <= 0) continue;
    const double v = root * root * root;
    const double bound = elementary::rounded(0.5 * x * x) + d - elementary::rounded(d * v) +
                         elementary::rounded(d * elementary::log(v));
    if (elementary::log(unit_interval(bits)) < bound) return d * v;
  }
}

}  // namespace fmsb::data
