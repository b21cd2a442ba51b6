#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor

namespace fmsb::test {

/// The largest difference, relative to the largest number of y; 1e300 where the shapes differ.
inline double distance(const tensor& x, const tensor& y) {
  if (x.sizes() != y.sizes()) return 1e300;
  return ((x - y).abs().max() / y.abs().max().clamp_min(1e-30)).item<double>();
}

}  // namespace fmsb::test
