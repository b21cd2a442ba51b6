#pragma once
#include "fmsb/nn/torch.hpp"  // torch::nn::Module

#include <cstddef>  // std::size_t

namespace fmsb::test {

/// Whether two modules hold the same numbers.
inline bool same_bits(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto equal = [](const auto& p, const auto& q) {
    if (p.size() != q.size()) return false;
    for (std::size_t i = 0; i < p.size(); ++i)
      if (!p[i].equal(q[i])) return false;
    return true;
  };
  return equal(a.parameters(), b.parameters()) && equal(a.buffers(), b.buffers());
}

}  // namespace fmsb::test
