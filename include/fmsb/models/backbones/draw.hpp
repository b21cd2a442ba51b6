#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // is_mixture
#include "fmsb/nn/initialise.hpp"               // draws_wanted

#include <cmath>  // std::sqrt

namespace fmsb::models::detail {

/// Draws a convolution's weight from U(-b, b), b = gain sqrt(6 / (fan in + fan out)), and makes its bias zero
/// (Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS
/// 2010, eq. 16). Mixtures keep what DASH gives them.
template <class Conv>
void draw_glorot(const Conv& conv, double gain) {
  if constexpr (!is_mixture<Conv>) {
    if (!nn::detail::draws_wanted) return;
    const torch::NoGradGuard no_gradient;
    const auto& w = conv.weight;
    const index_t taps = w[0][0].numel();
    const auto fans = static_cast<double>((w.size(0) + w.size(1)) * taps);
    const double bound = gain * std::sqrt(6 / fans);
    tensor(w).uniform_(-bound, bound);
    if (conv.bias.defined()) tensor(conv.bias).zero_();
  }
}

}  // namespace fmsb::models::detail
