#pragma once
#include "fmsb/peft.hpp"  // plans, adapters, layers

namespace adapters {

using namespace fmsb;

inline constexpr index_t kContext = 96, kHorizon = 24, kWidth = 128;

/// x + wo(relu(wi(norm(x)))): a residual block with biases, norms and two square maps for adapters to choose
/// from.
template <class Plan = adapt::none>
struct block : nn::composite<typename Plan::template child<"norm", nn::layer_norm<kWidth>>,
                             typename Plan::template child<"wi", nn::linear<kWidth, kWidth>>,
                             typename Plan::template child<"wo", nn::linear<kWidth, kWidth>>> {
  using plain = block<>;
  tensor forward(const tensor& x) const {
    const auto inner = this->template at<"wi">().forward(this->template at<"norm">().forward(x)).relu();
    return x + this->template at<"wo">().forward(inner);
  }

 protected:
  std::string title() const override { return "block"; }
};

/// Forecasts a series from its last `kContext` values, relative to the last of them.
template <class Plan = adapt::none>
struct forecaster
    : nn::composite<
          typename Plan::template child<"in", nn::linear<kContext, kWidth>>,
          nn::child<"blocks",
                    nn::repeat<3, block<typename Plan::template under<"blocks">::template under<"*">>>>,
          typename Plan::template child<"out", nn::linear<kWidth, kHorizon>>> {
  using plan = Plan;
  using plain = forecaster<>;

  /// @param x  [batch, kContext] standardised levels, oldest first
  /// @return [batch, kHorizon]
  tensor forward(const tensor& x) const {
    const auto last = x.slice(1, kContext - 1, kContext);
    auto y = this->template at<"in">().forward(x - last);
    this->template at<"blocks">().for_each([&](const auto& part) { y = part.forward(y); });
    return this->template at<"out">().forward(y) + last;
  }

 protected:
  std::string title() const override { return "forecaster"; }
};

}  // namespace adapters
