#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/tensor.hpp"         // tensor

#include <ATen/ops/outer.h>  // at::outer
#include <ATen/ops/pow.h>    // at::pow

#include <string>  // std::string, std::to_string

namespace fmsb::nn {

/// Leaves queries and keys as they are.
struct no_rotation {
  tensor operator()(const tensor& x, index_t) const { return x; }
};

/// Rotary position embedding: turns the pair (i, i + d/2) of each query and key by the angle
///
///     position * Base^(-2 i / d),
///
/// so that a score depends on the distance of the two positions and not on where they stand (Su et al.,
/// "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv 2104.09864, section 3.2.2; pairs by
/// halves, as in Llama and Chronos-2, where the paper's are neighbours). No length changes.
///
/// Has no state: the Rotation of nn::multi_head_attention.
template <double Base = 10000.0>
struct rotary {
  static_assert(Base > 1, "fmsb::nn::rotary requires a base greater than 1");

  static std::string describe() { return "rotary(base=" + number_text(Base) + ")"; }

  /// @param x      [batch, heads, tokens, d], d even
  /// @param first  position of the first token
  /// @return the same shape and number type
  /// @throws usage_error for an odd d
  tensor operator()(const tensor& x, index_t first) const {
    const index_t d = x.size(-1);
    if (d % 2 != 0)
      throw usage_error("fmsb::nn::rotary turns pairs of features, but a head has " + std::to_string(d) +
                        ". Choose inner / heads even.");
    // The angles are needed to more digits than a half type has. In the released programs' order of
    // operations: far from the first position a last digit of the frequency is several of the angle.
    const auto wide = at::TensorOptions()
                          .device(x.device())
                          .dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    const auto frequency = at::pow(Base, at::arange(0, d, 2, wide) / static_cast<double>(d)).reciprocal();
    const auto angle = at::outer(at::arange(first, first + x.size(-2), wide), frequency);
    const auto cosine = angle.cos().to(x.scalar_type()), sine = angle.sin().to(x.scalar_type());
    const auto low = x.narrow(-1, 0, d / 2), high = x.narrow(-1, d / 2, d / 2);
    return at::cat({low * cosine - high * sine, high * cosine + low * sine}, -1);
  }
};

}  // namespace fmsb::nn
