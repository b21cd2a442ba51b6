#pragma once
#include "fmsb/nn/module.hpp"  // module

#include <ATen/ops/rand.h>                 // at::rand
#include <ATen/ops/randn.h>                // at::randn
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <algorithm>   // std::max
#include <cmath>       // INFINITY, std::abs
#include <cstddef>     // std::size_t
#include <functional>  // std::function
#include <memory>      // std::dynamic_pointer_cast
#include <string>      // std::string
#include <vector>      // std::vector

/// An adapted layer beside the same arithmetic in stock operators.
namespace fmsb::test {

using plain_forward = std::function<tensor(const tensor&)>;

/// Moves a module to double and draws all that trains anew, so that nothing is zero.
template <class T>
void draw_adapters(nn::module<T> m, double deviation = 0.5) {
  const torch::NoGradGuard no_gradient;
  m->to(torch::kDouble);
  for (auto& p : m->parameters())
    if (p.requires_grad()) p.normal_(0, deviation);
}

inline double distance(const tensor& a, const tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  if (a.numel() == 0) return 0;
  const double size = b.abs().max().item<double>();
  return (a - b).abs().max().item<double>() / (size > 1 ? size : 1);
}

/// x, where it wants a gradient, and all parameters that do.
template <class T>
std::vector<tensor> leaves(nn::module<T> m, const tensor& x) {
  std::vector<tensor> found;
  if (x.requires_grad()) found.push_back(x);
  for (auto& p : m->parameters())
    if (p.requires_grad()) found.push_back(p);
  return found;
}

/// What a layer does not do as its twin: outputs, first and second derivatives by every leaf. Empty is sound.
template <class T>
std::string apart(nn::module<T> m, const plain_forward& twin, const tensor& x, double tolerance = 1e-11) {
  std::string found;
  const auto say = [&](const std::string& what, double by) {
    if (!(by <= tolerance)) found += what + " by " + std::to_string(by) + "; ";
  };
  const auto ours = m->forward(x), plain = twin(x);
  say("outputs", distance(ours, plain));
  const auto by = leaves(m, x);
  const auto weights = at::randn_like(plain);
  const auto first = [&](const tensor& y) {
    return torch::autograd::grad({y}, by, {weights}, /*retain_graph=*/true, /*create_graph=*/true);
  };
  const auto g = first(ours), h = first(plain);
  tensor sum_g = at::zeros({}, plain.options()), sum_h = sum_g;
  for (std::size_t i = 0; i < by.size(); ++i) {
    say("gradient " + std::to_string(i), distance(g[i], h[i]));
    sum_g = sum_g + g[i].sin().sum();
    sum_h = sum_h + h[i].sin().sum();
  }
  const auto second = [&](const tensor& sum) {  // zeros where a gradient is a constant
    auto found_here = sum.requires_grad()
                          ? torch::autograd::grad({sum}, by, {}, true, false, /*allow_unused=*/true)
                          : std::vector<tensor>(by.size());
    for (std::size_t i = 0; i < by.size(); ++i)
      if (!found_here[i].defined()) found_here[i] = at::zeros_like(by[i]);
    return found_here;
  };
  const auto gg = second(sum_g), hh = second(sum_h);
  for (std::size_t i = 0; i < by.size(); ++i)
    say("second gradient " + std::to_string(i), distance(gg[i], hh[i]));

  // Without a graph of the backward pass: what forward kept is used.
  const auto kept = torch::autograd::grad({m->forward(x)}, by, {weights});
  for (std::size_t i = 0; i < by.size(); ++i)
    say("kept gradient " + std::to_string(i), distance(kept[i], h[i]));
  return found;
}

/// The largest distance of the layer's gradients from central differences of its outputs, in double.
template <class T>
double from_differences(nn::module<T> m, const tensor& x, double step = 1e-6) {
  const auto by = leaves(m, x);
  const auto y = m->forward(x);
  const auto weights = at::randn_like(y);
  const auto gradients = torch::autograd::grad({y}, by, {weights});
  const torch::NoGradGuard no_gradient;
  double most = 0;
  for (std::size_t i = 0; i < by.size(); ++i) {
    const auto flat = by[i].view({-1});
    for (index_t j = 0; j < flat.numel(); ++j) {
      const auto at = [&](double shift) {
        flat[j].add_(shift);
        const double value = (m->forward(x) * weights).sum().template item<double>();
        flat[j].sub_(shift);
        return value;
      };
      const double slope = (at(step) - at(-step)) / (2 * step);
      const double ours = gradients[i].reshape({-1})[j].template item<double>();
      most = std::max(most, std::abs(slope - ours) / std::max(1.0, std::abs(slope)));
    }
  }
  return most;
}

/// Inputs that a linear layer must take: rows, more axes, none, gaps in memory, no gradient wanted.
inline std::vector<tensor> inputs_of(index_t in) {
  const auto o = at::TensorOptions().dtype(at::kDouble);
  std::vector<tensor> xs{at::randn({5, in}, o),
                         at::randn({2, 3, in}, o),
                         at::randn({in}, o),
                         at::randn({in, 4}, o).t(),
                         at::randn({3, in, 2}, o).transpose(1, 2),
                         at::randn({4, 2 * in}, o).slice(1, 0, 2 * in, 2)};
  for (auto& x : xs) x.set_requires_grad(true);
  xs.push_back(at::randn({3, in}, o));
  return xs;
}

template <class T>
nn::module<T> cloned(nn::module<T> m) {
  return nn::module<T>(std::dynamic_pointer_cast<nn::concrete<T>>(m->clone()));
}

}  // namespace fmsb::test
