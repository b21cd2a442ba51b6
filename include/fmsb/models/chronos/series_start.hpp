#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/models/chronos/uniform_bins.hpp"  // uniform_bins, config
#include "fmsb/models/t5/position_bias.hpp"      // t5_bucket, t5_side
#include "fmsb/nn/tensor.hpp"                    // tensor

#include <ATen/core/grad_mode.h>  // at::NoGradGuard
#include <ATen/ops/cos.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/tensor.h>

#include <cmath>    // std::exp2, std::log
#include <cstddef>  // std::size_t
#include <numbers>  // std::numbers::pi
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::chronos {

namespace detail {

/// Rows of a token table in which near bins are alike: column j of the bin with centre c is sqrt(2) cos(w_j c
/// + b_j), phases uniform, and frequencies log-uniform from half a turn over all bins to half a turn over
/// one, so that a row tells its bin's place at every scale.
inline tensor ordinal_rows(const config& c, index_t width) {
  const uniform_bins bins(c);
  std::vector<float> centres;
  for (auto id = c.special_tokens; id < c.tokens; ++id) centres.push_back(bins.value(id));
  const double range = c.high_limit - c.low_limit, step = range / static_cast<double>(c.bins() - 1);
  const auto w = at::empty({width}, at::kFloat)
                     .uniform_(std::log(std::numbers::pi / range), std::log(std::numbers::pi / step))
                     .exp_();
  const auto phases = at::empty_like(w).uniform_(0, 2 * std::numbers::pi);
  return at::cos(at::outer(at::tensor(centres), w) + phases) * std::numbers::sqrt2;
}

/// A T5's table of position biases, [buckets, heads], with which heads look at what is near: -slope
/// |distance| with slopes 4, 1, 1/4, .. of the heads. The first one looks at a token itself as at its
/// neighbours.
inline tensor recency_table(models::t5_side side, index_t buckets, index_t heads, index_t max_distance) {
  std::vector<double> sum(static_cast<std::size_t>(buckets)), count(sum.size());
  for (index_t distance = -max_distance; distance <= max_distance; ++distance) {
    const auto bucket = static_cast<std::size_t>(models::t5_bucket(distance, side, buckets, max_distance));
    if (side == models::t5_side::decoder && distance > 0) continue;  // not seen
    sum[bucket] += std::abs(static_cast<double>(distance));
    ++count[bucket];
  }
  auto table = at::empty({buckets, heads}, at::kFloat);
  auto* const out = table.mutable_data_ptr<float>();
  for (std::size_t b = 0; b < sum.size(); ++b)
    for (index_t h = 0; h < heads; ++h) {
      const double slope = std::exp2(2 - 2 * static_cast<double>(h));
      const double far = count[b] > 0 ? sum[b] / count[b] : 0;
      const double itself = h == 0 && b == 0 ? 4 : 0;
      out[b * static_cast<std::size_t>(heads) + static_cast<std::size_t>(h)] =
          static_cast<float>(-slope * far - itself);
    }
  return table;
}

}  // namespace detail

/// Rewrites a T5's starting values so that it learns series from nothing within thousands of steps on a
/// processor, where those of T5 take hundreds of thousands: near bins of the tokenizer are alike, and heads
/// look at what is near. What T5 draws is taken at an `initializer_factor` of 1; the token table's rows of
/// bins and the tables of position biases are written anew. The model's type, files and arithmetic are the
/// same.
///
/// Sources: random features for the rows (Rahimi and Recht, "Random Features for Large-Scale Kernel
/// Machines", NIPS 2007, section 3); slopes for the heads (Press et al., "Train Short, Test Long", ICLR 2022,
/// section 3).
///
/// @tparam Model  a models::t5
/// @param c       of the tokenizer; draws from LibTorch's CPU generator
/// @throws usage_error where model and tokenizer differ in tokens
template <class Model>
requires requires { Model::config; }
void start_for_series(Model& model, const config& c) {
  constexpr auto type = Model::config;
  if (c.tokens != type.vocabulary)
    throw usage_error("fmsb::chronos::start_for_series: the tokenizer has " + std::to_string(c.tokens) +
                      " tokens, the model " + std::to_string(type.vocabulary) + ".");
  const at::NoGradGuard no_gradient;
  for (auto& p : model.parameters()) p.mul_(1 / type.initializer_factor);
  auto& table = model.template at<"shared">().weight;
  const auto rows = detail::ordinal_rows(c, type.width);
  table.narrow(0, c.special_tokens, rows.size(0)).copy_(rows);
  const auto look_near = [&](const auto& stack, models::t5_side side) {
    stack.blocks().first().table().weight.copy_(
        detail::recency_table(side, type.buckets, type.heads, type.max_distance));
  };
  look_near(model.template at<"encoder">(), models::t5_side::encoder);
  look_near(model.template at<"decoder">(), models::t5_side::decoder);
}

}  // namespace fmsb::chronos
