#pragma once
#include "fmsb/adapt/adapted.hpp"          // adapted, linear_map
#include "fmsb/adapt/kept.hpp"             // kept
#include "fmsb/adapt/lora.hpp"             // lora_options
#include "fmsb/adapt/low_rank.hpp"         // times_thin, thin_gradient, low_rank_weight
#include "fmsb/adapt/on_rows.hpp"          // on_rows, frozen_base
#include "fmsb/adapt/start_from_base.hpp"  // starts_from_base
#include "fmsb/nn/operation.hpp"           // operation, apply_operation

#include <c10/core/Storage.h>  // c10::Storage: tells one weight's memory from another's

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <memory>   // std::make_shared
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::adapt {

namespace detail {

/// |w_i|^2 of every row of a weight, as long as the weight is the one that it was computed from.
struct row_squares {
  tensor squares;  ///< [out]
  c10::weak_intrusive_ptr<c10::StorageImpl> memory;
  std::int64_t version;

  static row_squares of(const tensor& weight) {
    return {weight.flatten(1).square().sum(1), weight.storage().getWeakStorageImpl(), weight._version()};
  }
  bool hold_for(const tensor& weight) const {
    return memory._unsafe_get_target() == weight.storage().unsafeGetStorageImpl() && !memory.expired() &&
           version == weight._version() && squares.scalar_type() == weight.scalar_type();
  }
};

/// |w_i + s (B A)_i|^2 [out] without forming B A: |w_i|^2 + 2 s b_i (A w_i) + s^2 b_i (A A') b_i.
///
/// @param wa  A w_i for every row, [out, rank], where it is known already; else undefined
inline tensor adapted_row_squares(const tensor& squares, const tensor& weight, const tensor& a,
                                  const tensor& b, double scale, index_t groups, const tensor& wa = {}) {
  const index_t out = weight.size(0), rank = a.size(0) / groups;
  const auto factors = a.reshape({groups, rank, -1}), rows = b.reshape({groups, out / groups, rank});
  const auto cross = wa.defined()
                         ? wa.reshape({groups, out / groups, rank})
                         : at::bmm(weight.reshape({groups, out / groups, -1}), factors.transpose(1, 2));
  const auto gram = at::bmm(factors, factors.transpose(1, 2));
  return at::baddbmm(cross, rows, gram, 2 * scale, scale * scale)
      .mul_(rows)
      .sum(2)
      .reshape({out})
      .add_(squares);
}

/// y = b + c o (x W' + s (x A') B') with c = m / n, and W, b and the row norms n frozen, on rows.
struct dora_rows final : nn::operation {
  enum input : std::size_t { of_x, of_a, of_b, of_magnitude };
  double scale;

  explicit dora_rows(double s) : scale(s) {}

  tensor forward(const tensor& x, const tensor& weight, const tensor& bias, const tensor& a, const tensor& b,
                 const tensor& magnitude, const tensor& squares) {
    const index_t rows = x.size(0), rank = a.size(0);
    // The rows of A ride along: one pass over W gives x W' and the A w_i of the norms.
    const auto both = at::mm(at::cat({x, a}, 0), weight.t());
    const auto u = both.narrow(0, 0, rows), wa = both.narrow(0, rows, rank).t();
    const auto norms = norms_of(adapted_row_squares(squares, weight, a, b, scale, 1, wa));
    const auto z = at::mm(x, a.t());
    u.addmm_(z, b.t(), 1, scale);
    const auto c = magnitude / norms;
    keep({x, weight, a, b, magnitude, norms, z, u});
    return bias.defined() ? at::addcmul(bias, u, c) : u * c;
  }

  std::vector<tensor> gradients(const tensor& gy) override {
    const auto [x, weight, a, b, magnitude, norms, kept_z, kept_u] = kept<8>();
    // What forward kept has no history; for a second derivative it is computed once more, with one.
    const bool again = at::GradMode::is_enabled();
    const auto z = again ? at::mm(x, a.t()) : kept_z;
    tensor gx, ga, gb, gm;
    if (wants(of_magnitude)) {
      const auto u = again ? at::mm(x, weight.t()).addmm(z, b.t(), 1, scale) : kept_u;
      gm = (gy * u).sum(0) / norms;
    }
    const auto gu = gy * (magnitude / norms);
    const auto gz = times_thin(gu, b);
    if (wants(of_x)) gx = at::mm(gu, weight).addmm_(gz, a, 1, scale);
    if (wants(of_a)) ga = at::mm(gz.t(), x).mul_(scale);
    if (wants(of_b)) gb = thin_gradient(gu, z, scale);
    return {gx, ga, gb, gm};
  }

  /// A row of zeros has no direction; its norm stands as a small number, so that nothing is divided by zero.
  static tensor norms_of(const tensor& squares) { return squares.clamp_min(1e-24).sqrt(); }
};

}  // namespace detail

/// Weight-decomposed low-rank adaptation: y = (m / n) o (W x + s B A x) + b, where n_i is the norm of row i
/// of W + s B A, held constant in the backward pass (Liu et al., "DoRA: Weight-Decomposed Low-Rank
/// Adaptation", ICML 2024, eq. 5 and section 4.3). On a convolution a row is an output channel.
///
/// With dropout, in training, the branch sees x' = drop(x): y = W x + b + (m / n - 1) o (W x') + (m / n) o
/// s B A x', as the released program has it.
///
/// Registers `lora_A` and `lora_B` as LoRA does, and `lora_magnitude_vector` m, [out] on a linear layer and
/// [1, out, 1..] on a convolution, which starts as the norm: the adapted layer begins as its base. Call
/// `start_from_base` where the base's weight was put in afterwards, or was changed through another tensor
/// that shares its memory: |w_i|^2 is kept while the weight's version stays.
template <index_t Rank, lora_options Options = {}>
struct dora {
  static_assert(!Options.bias, "fmsb::adapt::dora has no bias in its branch");

  using low_rank = lora<Rank, Options>;
  static constexpr index_t rank = Rank;
  static constexpr lora_options options = Options;
  static constexpr double alpha = low_rank::alpha;
  static double scale() { return low_rank::scale(); }
  static std::string describe() { return "do" + low_rank::describe().substr(2); }

  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer.
template <index_t Rank, lora_options Options>
template <class Base>
class dora<Rank, Options>::on
    : public adapted<Base, nn::sum_of(detail::low_rank_count<Base, Rank>, Base::out_features)>,
      public starts_from_base {
  static_assert(
      linear_map<Base> && requires { Base::spatial_axes; } && !requires { Base::is_table; },
      "fmsb::adapt::dora adapts a linear or convolution layer");
  static_assert(
      !is_adapted<Base>,
      "fmsb::adapt::dora takes the norm of the plain weight: it must be the first adapter on a layer");

 public:
  using adapter = dora;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  tensor lora_A;                 ///< [groups * rank, in / groups, kernel...]
  tensor lora_B;                 ///< [out, rank, 1...]
  tensor lora_magnitude_vector;  ///< [out], or [1, out, 1...] on a convolution

  void reset() override {
    parent::reset();
    auto a_sizes = this->weight.sizes().vec(), b_sizes = std::vector<index_t>(a_sizes.size(), 1);
    b_sizes[0] = a_sizes[0];
    b_sizes[1] = Rank;
    a_sizes[0] = Base::groups * Rank;
    lora_A = this->register_parameter("lora_A",
                                      nn::drawn_uniform(a_sizes, nn::fan_in_bound(this->weight[0].numel())));
    lora_B = this->register_parameter("lora_B", nn::filled(b_sizes, 0));
    auto m_sizes = std::vector<index_t>(Base::spatial_axes == 0 ? 1 : a_sizes.size(), 1);
    m_sizes[Base::spatial_axes == 0 ? 0 : 1] = b_sizes[0];
    lora_magnitude_vector = this->register_parameter("lora_magnitude_vector", nn::filled(m_sizes, 1));
    start_from_base();
  }

  /// Sets m to the norms as they are now, of the weight as it is now: with B at zero, the layer is its base
  /// again. For base weights that were put in after the layer was built.
  void start_from_base() override {
    const torch::NoGradGuard no_gradient;
    squares_.store(nullptr);
    lora_magnitude_vector.copy_(norms().view_as(lora_magnitude_vector));
  }

  tensor forward(const tensor& x) const {
    if constexpr (Base::spatial_axes == 0 && Options.dropout == 0)
      if (detail::frozen_base(this->weight, this->bias))
        return detail::on_rows(x, this->weight, [&](const tensor& rows) -> tensor {
          return nn::apply_operation(nn::make_operation<detail::dora_rows>(scale()),
                                     {rows, lora_A, lora_B, lora_magnitude_vector}, [&](auto& node) {
                                       return node.forward(rows, this->weight, this->bias, lora_A, lora_B,
                                                           lora_magnitude_vector, row_squares());
                                     });
        });
    const auto c = share();
    if (Options.dropout > 0 && this->is_training()) {
      const auto dropped = at::dropout(x, Options.dropout, true);
      return Base::forward(x) + this->map(dropped, this->weight) * (c - 1) + branch(dropped) * c;
    }
    const auto y = (this->map(x, this->weight) + branch(x)) * c;
    return this->bias.defined() ? this->with_bias(y, this->bias) : y;
  }

  tensor effective_weight() const {
    auto sizes = std::vector<index_t>(static_cast<std::size_t>(this->weight.dim()), 1);
    sizes[0] = -1;
    return (this->weight + low_rank_weight(lora_A, lora_B, Base::groups) * scale()) * share().reshape(sizes);
  }

  std::string describe() const override { return Base::describe() + " + " + dora::describe(); }

 private:
  tensor branch(const tensor& x) const { return this->mix(this->map(x, lora_A), lora_B) * scale(); }

  /// m / n, shaped to multiply the output: [out] or [out, 1...].
  tensor share() const {
    auto sizes = std::vector<index_t>(static_cast<std::size_t>(Base::spatial_axes) + 1, 1);
    sizes[0] = -1;
    return lora_magnitude_vector.reshape(sizes) / norms().view(sizes);
  }

  /// [out], without a gradient.
  tensor norms() const {
    const torch::NoGradGuard no_gradient;
    return detail::dora_rows::norms_of(
        detail::adapted_row_squares(row_squares(), this->weight, lora_A, lora_B, scale(), Base::groups));
  }

  tensor row_squares() const {
    const torch::NoGradGuard no_gradient;
    if (this->weight.is_inference()) return this->weight.flatten(1).square().sum(1);  // keeps no version
    auto held = squares_.load();
    if (!held || !held->hold_for(this->weight))
      squares_.store(held =
                         std::make_shared<const detail::row_squares>(detail::row_squares::of(this->weight)));
    return held->squares;
  }

  detail::kept<detail::row_squares> squares_;
};

}  // namespace fmsb::adapt
