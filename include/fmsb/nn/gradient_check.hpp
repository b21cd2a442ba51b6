#pragma once
#include "fmsb/nn/torch.hpp"  // tensor

#include <torch/csrc/autograd/functions/accumulate_grad.h>  // torch::autograd::AccumulateGrad

#include <algorithm>  // std::max, std::none_of
#include <cmath>      // std::abs, std::isnan
#include <cstdint>    // std::uint64_t
#include <set>        // std::set
#include <vector>     // std::vector

/// How `check_module` compares gradients with differences.
namespace fmsb::nn {

/// How `check_module` compares gradients.
struct check_options {
  double tolerance = 1e-5;   ///< of a directional derivative, relative to the length of the gradient
  double step = 1e-5;        ///< of the central differences, along a direction of length 1
  int directions = 2;        ///< drawn for each input and parameter
  double disturbance = 0.1;  ///< deviation of what is added to the parameters before: a matrix of zeros, as
                             ///< LoRA starts with, hides a wrong gradient of its neighbour
  std::uint64_t seed = 2718;
};

namespace detail {

/// The leaves that a backward pass from y would reach, other than those known.
inline std::vector<tensor> strange_leaves(const tensor& y, const std::vector<tensor>& known) {
  std::vector<tensor> found;
  std::vector<torch::autograd::Node*> open;
  std::set<torch::autograd::Node*> seen;
  const auto visit = [&](torch::autograd::Node* node) {
    if (node != nullptr && seen.insert(node).second) open.push_back(node);
  };
  visit(y.grad_fn().get());
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    if (const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node)) {
      const auto is_leaf = [&](const tensor& x) { return x.is_same(leaf->variable); };
      if (std::none_of(known.begin(), known.end(), is_leaf)) found.push_back(leaf->variable);
    }
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
  return found;
}

/// Two words on one slope, and how far they are apart.
struct slope {
  double error = 0;  ///< relative to the gradient's length, or to the slope where that is larger
  double said = 0;   ///< by backward
  double found = 0;  ///< by central differences
};

/// The direction, of a few drawn ones, along which a leaf's gradient and the differences are furthest apart.
/// The leaf is left as it was.
///
/// @param size     of the outputs: what is lost by rounding is measured by it
/// @param pass     () -> output, the same at every call while the leaves are
/// @param project  output -> a scalar; `gradient` is that of project(pass())
template <class Pass, class Project>
slope worst_slope(tensor leaf, const tensor& gradient, double size, const check_options& options, Pass&& pass,
                  Project&& project) {
  const double length = gradient.norm().item<double>();
  const double floor = 1e-9 * size / std::max(options.tolerance, 1e-300) + 1e-12;
  const auto start = leaf.clone();
  slope worst;
  for (int d = 0; d < options.directions; ++d) {
    at::manual_seed(options.seed + 3 + static_cast<std::uint64_t>(d));
    auto direction = at::randn(leaf.sizes(), leaf.options().requires_grad(false));
    direction /= direction.norm();
    const auto at_step = [&](double step) {
      leaf.copy_(start + direction * step);
      return pass();
    };
    // The difference first: two outputs nearly cancel, two projections lose more.
    const double numeric = (project(at_step(options.step) - at_step(-options.step)) / (2 * options.step))
                               .template item<double>();
    leaf.copy_(start);
    const double analytic = (gradient * direction).sum().item<double>();
    const double error = std::abs(analytic - numeric) / std::max({length, std::abs(numeric), floor});
    if (!(error <= worst.error) && !std::isnan(worst.error)) worst = {error, analytic, numeric};
  }
  return worst;
}

}  // namespace detail
}  // namespace fmsb::nn
