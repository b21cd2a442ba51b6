#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor

#include <ATen/ops/dot.h>  // at::dot

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <deque>      // std::deque
#include <vector>     // std::vector

namespace fmsb::models {

/// Where a minimisation ended.
struct minimum {
  tensor at;
  double value = 0, gradient_norm = 0;
  int steps = 0;
  bool converged = false;
};

/// Minimises a smooth convex function by L-BFGS with ten pairs and Armijo's rule, halving from a whole step.
/// Source: Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 7.4 and 3.1, equation 7.20.
///
/// @param value_at  value_at(x, gradient): the value at x; sets the gradient
/// @param near      near(norm of the gradient): whether that is converged
/// Ends unconverged after `most_steps`, and where rounding lets no step lower the value.
template <class Value, class Near>
minimum minimise(const tensor& start, Value value_at, Near near, int most_steps) {
  struct pair {
    tensor step, change;
    double inverse;  // 1 / (step . change)
  };
  const auto dot = [](const tensor& a, const tensor& b) {
    return at::dot(a.reshape({-1}), b.reshape({-1})).template item<double>();
  };
  minimum out{start, 0, 0, 0, false};
  tensor gradient;
  out.value = value_at(out.at, gradient);
  std::deque<pair> pairs;
  for (;; ++out.steps) {
    out.gradient_norm = gradient.norm().template item<double>();
    out.converged = near(out.gradient_norm);
    if (out.converged || out.steps == most_steps) return out;
    auto direction = -gradient;
    std::vector<double> along(pairs.size());
    for (std::size_t i = pairs.size(); i-- > 0;) {
      along[i] = pairs[i].inverse * dot(pairs[i].step, direction);
      direction.sub_(pairs[i].change, along[i]);
    }
    if (pairs.empty())
      direction.mul_(std::min(1.0, 1 / out.gradient_norm));
    else
      direction.mul_(1 / (pairs.back().inverse * dot(pairs.back().change, pairs.back().change)));
    for (std::size_t i = 0; i < pairs.size(); ++i)
      direction.add_(pairs[i].step, along[i] - pairs[i].inverse * dot(pairs[i].change, direction));
    const double slope = dot(gradient, direction);
    double length = 1;
    tensor there, gradient_there;
    double value = 0;
    for (;; length /= 2) {
      if (length < 1e-8) return out;
      there = out.at + direction * length;
      value = value_at(there, gradient_there);
      if (value <= out.value + 1e-4 * length * slope) break;
    }
    const auto step = there - out.at, change = gradient_there - gradient;
    const double product = dot(step, change);
    if (product > 0) pairs.push_back({step, change, 1 / product});
    if (pairs.size() > 10) pairs.pop_front();
    out.at = there;
    out.value = value;
    gradient = gradient_there;
  }
}

}  // namespace fmsb::models
