#pragma once
#include "fmsb/adapt/on_rows.hpp"  // on_rows, frozen_base
#include "fmsb/core/extent.hpp"    // index_t
#include "fmsb/nn/counts.hpp"      // product_of, quotient_of, sum_of
#include "fmsb/nn/operation.hpp"   // operation, apply_operation

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

/// The arithmetic of a factored weight, W + s B A, without ever forming B A.
namespace fmsb::adapt {

namespace detail {

/// Numbers of A [groups * rank, in / groups, kernel...] and B [out, rank, 1...] together.
template <class Base, index_t Rank>
inline constexpr index_t low_rank_count =
    nn::sum_of(nn::quotient_of(nn::product_of(Rank, Base::groups, Base::weight_count), Base::out_features),
               nn::product_of(Rank, Base::out_features));

/// gy [rows, out] times B [out, rank]. With few columns on the right the product is bound by how B is read:
/// its transpose, a small copy, is read in order.
inline tensor times_thin(const tensor& gy, const tensor& b) { return at::mm(gy, b.t().contiguous().t()); }

/// gy' z [out, rank], s times: the transpose of z' gy, which is several times cheaper where rank is small.
inline tensor thin_gradient(const tensor& gy, const tensor& z, double scale) {
  return at::mm(z.t(), gy).mul_(scale).t().contiguous();
}

/// y = x W' + b + s (x A') B' with W and b frozen, on rows. One node in the graph: the products of the branch
/// are added to those of the base in place, so that the branch costs its flops and no pass over memory.
struct low_rank_rows final : nn::operation {
  enum input : std::size_t { of_x, of_a, of_b };
  double scale;

  explicit low_rank_rows(double s) : scale(s) {}

  tensor forward(const tensor& x, const tensor& weight, const tensor& bias, const tensor& a,
                 const tensor& b) {
    const auto y = at::linear(x, weight, bias);
    const auto z = at::mm(x, a.t());
    y.addmm_(z, b.t(), 1, scale);
    keep({x, weight, a, b, z});
    return y;
  }

  std::vector<tensor> gradients(const tensor& gy) override {
    const auto [x, weight, a, b, z] = kept<5>();
    const auto gz = times_thin(gy, b);
    tensor gx, ga, gb;
    if (wants(of_x)) gx = at::mm(gy, weight).addmm_(gz, a, 1, scale);
    if (wants(of_a)) ga = at::mm(gz.t(), x).mul_(scale);
    // What forward kept has no history; for a second derivative it is computed once more, with one.
    if (wants(of_b)) gb = thin_gradient(gy, at::GradMode::is_enabled() ? at::mm(x, a.t()) : z, scale);
    return {gx, ga, gb};
  }
};

}  // namespace detail

/// x [..., in] through W [out, in] + s B A, with bias.
///
/// @param weight, bias  the frozen base; the bias may be undefined. Where one of them trains after all, its
///                      gradient is computed, at the cost of stock operators
/// @param a  [rank, in]
/// @param b  [out, rank]
/// @throws usage_error where the last axis of x is not `in`
inline tensor low_rank_linear(const tensor& x, const tensor& weight, const tensor& bias, const tensor& a,
                              const tensor& b, double scale) {
  return detail::on_rows(x, weight, [&](const tensor& rows) -> tensor {
    if (!detail::frozen_base(weight, bias))
      return at::linear(rows, weight, bias).add(at::linear(at::linear(rows, a), b), scale);
    return nn::apply_operation(nn::make_operation<detail::low_rank_rows>(scale), {rows, a, b},
                               [&](auto& node) { return node.forward(rows, weight, bias, a, b); });
  });
}

/// B A as a weight: A [groups * rank, in, kernel...] and B [out, rank, ...], block by block.
/// @return [out, in, kernel...]
inline tensor low_rank_weight(const tensor& a, const tensor& b, index_t groups) {
  const auto rank = a.size(0) / groups;
  const auto left = b.reshape({groups, b.size(0) / groups, rank});
  auto sizes = a.sizes().vec();
  sizes[0] = b.size(0);
  return at::bmm(left, a.reshape({groups, rank, -1})).reshape(sizes);
}

}  // namespace fmsb::adapt
