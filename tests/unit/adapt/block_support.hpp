#pragma once
#include "fmsb/adapt/plan.hpp"     // none
#include "fmsb/nn/layer_norm.hpp"  // layer_norm
#include "fmsb/nn/linear.hpp"      // linear
#include "fmsb/nn/module.hpp"      // module
#include "fmsb/nn/repeat.hpp"      // repeat
#include "fmsb/nn/rms_norm.hpp"    // rms_norm

#include <memory>  // std::dynamic_pointer_cast

/// A small typed transformer for the tests of adapters: width 8, two blocks, a head.
namespace fmsb::test {

template <fixed_string Name, class Plan, index_t In, index_t Out, nn::bias_term Bias = nn::bias_term::no>
using part = typename Plan::template child<Name, nn::linear<In, Out, Bias>>;

template <class Plan = adapt::none>
struct attention : nn::composite<part<"q", Plan, 8, 8>, part<"k", Plan, 8, 8>, part<"v", Plan, 8, 8>,
                                 part<"o", Plan, 8, 8, nn::bias_term::yes>> {
  using plain = attention<typename Plan::merged>;
  tensor forward(const tensor& x) const {
    const auto scores = at::matmul(this->template at<"q">().forward(x),
                                   this->template at<"k">().forward(x).transpose(-1, -2));
    return this->template at<"o">().forward(
        at::matmul(scores.softmax(-1), this->template at<"v">().forward(x)));
  }
};

template <class Plan = adapt::none>
struct block : nn::composite<typename Plan::template child<"norm", nn::layer_norm<8>>,
                             nn::child<"attention", attention<typename Plan::template under<"attention">>>,
                             typename Plan::template child<"scale", nn::rms_norm<8>>,
                             part<"wi", Plan, 8, 16, nn::bias_term::yes>, part<"wo", Plan, 16, 8>> {
  using plain = block<typename Plan::merged>;
  tensor forward(const tensor& x) const {
    const auto y = x + this->template at<"attention">().forward(this->template at<"norm">().forward(x));
    const auto inner = this->template at<"wi">().forward(this->template at<"scale">().forward(y)).relu();
    return y + this->template at<"wo">().forward(inner);
  }
};

template <class Plan = adapt::none>
struct transformer
    : nn::composite<
          nn::child<"block",
                    nn::repeat<2, block<typename Plan::template under<"block">::template under<"*">>>>,
          part<"head", Plan, 8, 3, nn::bias_term::yes>> {
  using plan = Plan;
  using plain = transformer<typename Plan::merged>;
  tensor forward(const tensor& x) const {
    tensor y = x;
    this->template at<"block">().for_each([&](const auto& b) { y = b.forward(y); });
    return this->template at<"head">().forward(y);
  }
};

/// Every trainable number drawn anew: adapters start as nothing.
inline void stir(torch::nn::Module& m) {
  const torch::NoGradGuard no_gradient;
  for (auto& p : m.parameters())
    if (p.requires_grad()) p.add_(torch::randn_like(p), 0.3);
}

template <class T>
nn::module<T> cloned(const nn::module<T>& m) {
  return nn::module<T>(std::dynamic_pointer_cast<nn::concrete<T>>(m->clone()));
}

inline double distance(const tensor& a, const tensor& b) {
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-300)).item<double>();
}

}  // namespace fmsb::test
