#pragma once
#include "fmsb/data/series.hpp"  // data::series

#include <cstddef>  // std::size_t
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::ar {

/// (1 - B)^times of every channel: `times` rows shorter, starting at row `times` of `x`.
/// @throws usage_error when fewer than `times` rows are there (from data::series::slice).
inline data::series difference(const data::series& x, int times) {
  if (times <= 0) return x;
  const auto drop = static_cast<std::size_t>(times);
  const auto rest = x.slice(drop, x.length());
  std::vector<double> values;
  values.reserve(x.channels() * rest.length());
  for (std::size_t c = 0; c < x.channels(); ++c) {
    std::vector<double> y(x.channel(c).begin(), x.channel(c).end());
    for (std::size_t k = 0; k < drop; ++k)
      for (std::size_t t = y.size(); t-- > k + 1;) y[t] -= y[t - 1];
    values.insert(values.end(), y.begin() + times, y.end());
  }
  return {rest.names(), {rest.times().begin(), rest.times().end()}, std::move(values)};
}

}  // namespace fmsb::ar
