#pragma once
#include "fmsb/nn/module.hpp"  // module
#include "fmsb/nn/tree.hpp"    // count_parameters

#include <ATen/ops/arange.h>  // at::arange

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

namespace fmsb::test {

/// How many positions along the last axis of the input the middle output of some features depends on: those
/// whose gradient is not zero. Features are computed in eval mode by `features(x)`.
template <class Features>
index_t seen_positions(const tensor& x, Features&& features) {
  const auto leaf = x.detach().clone().requires_grad_();
  const auto y = features(leaf);
  y.select(-1, y.size(-1) / 2).sum().backward();
  auto g = leaf.grad().abs();
  while (g.dim() > 1) g = g.sum(0);
  const auto touched = g.gt(0).nonzero().flatten();
  return (touched.max() - touched.min()).template item<index_t>() + 1;
}

/// As many indices as places, all different where there are enough.
inline std::vector<std::size_t> spread_points(std::size_t places, std::size_t size) {
  std::vector<std::size_t> points(places);
  for (std::size_t i = 0; i < places; ++i) points[i] = (5 * i + 1) % size;
  return points;
}

}  // namespace fmsb::test
