#pragma once
#include "fmsb/adapt/adapted.hpp"     // adapted
#include "fmsb/adapt/kept.hpp"        // kept
#include "fmsb/adapt/on_rows.hpp"     // linear_layer, on_rows, frozen_base
#include "fmsb/adapt/spectrum.hpp"    // shared_basis, spectrum_costs
#include "fmsb/adapt/waves.hpp"       // onto_waves, add_waves
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/initialise.hpp"     // drawn_normal, filled
#include "fmsb/nn/operation.hpp"      // operation, apply_operation

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <memory>   // std::shared_ptr
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::adapt {

/// How the product with dW is computed. Both are exact.
enum class fourier_form {
  automatic,  ///< whichever takes less time for the layer's extents, n and the tokens of the call
  factored,   ///< through factors of rank 2n: dW is never formed
  dense       ///< dW is formed once a call and added to W; keeps one weight for the backward pass
};

struct fourier_ft_options {
  double scaling = 150;         ///< s of the equation
  std::uint64_t seed = 777;     ///< of the locations, which no file holds
  bool starts_as_base = false;  ///< zeros instead of numbers from N(0, 1)
  fourier_form form = fourier_form::automatic;
  friend bool operator==(const fourier_ft_options&, const fourier_ft_options&) = default;
};

namespace detail {

/// The entries as they stand in diag(c, c), scaled: [2n].
inline tensor doubled(const tensor& c, double scaling) { return at::cat({c, c}, 0).mul_(scaling); }

/// Their gradient [n] from both sides of the factors, [rows, 2n].
inline tensor entry_gradient(const tensor& gz, const tensor& z, double scaling) {
  return (gz * z).sum(0).view({2, -1}).sum(0).mul_(scaling);
}

/// Transforms exist for these types only; products for all.
inline bool can_transform(const spectrum_basis& basis) {
  return basis.key.type == at::kFloat || basis.key.type == at::kDouble;
}

inline spectrum_costs costs_of(const spectrum_basis& basis) {
  return {static_cast<double>(basis.key.out), static_cast<double>(basis.key.in),
          static_cast<double>(basis.key.n)};
}

/// W + dW, the only tensor of the weight's size that is made.
inline tensor with_spectrum(const tensor& weight, const tensor& c, double scaling,
                            const spectrum_basis& basis) {
  if (can_transform(basis) && costs_of(basis).form_by_transform())
    return basis.by_transform(c * scaling).add_(weight);
  return at::addmm(weight, (basis.u * doubled(c, scaling).unsqueeze(1)).t(), basis.v);
}

/// What both forms are told, and the order of their inputs.
struct spectrum_operation : nn::operation {
  enum input : std::size_t { of_x, of_c };
  std::shared_ptr<const spectrum_basis> basis;
  double scaling;

  spectrum_operation(std::shared_ptr<const spectrum_basis> waves, double s)
      : basis(std::move(waves)), scaling(s) {}
};

/// y = x W' + b + (x V' diag(c, c)) U with W and b frozen, on rows.
struct factored_spectrum final : spectrum_operation {
  using spectrum_operation::spectrum_operation;

  tensor forward(const tensor& x, const tensor& weight, const tensor& bias, const tensor& c) {
    const auto z = onto_waves(x, basis->v);
    const auto y = at::linear(x, weight, bias);
    add_waves(y, z * doubled(c, scaling), basis->u);
    keep({x, weight, c, z});
    return y;
  }

  std::vector<tensor> gradients(const tensor& gy) override {
    const auto [x, weight, c, z] = kept<4>();
    const auto gz = onto_waves(gy, basis->u);
    tensor gx, gc;
    // What forward kept has no history; for a second derivative it is computed once more, with one.
    if (wants(of_c))
      gc = entry_gradient(gz, at::GradMode::is_enabled() ? onto_waves(x, basis->v) : z, scaling);
    if (wants(of_x)) gx = add_waves(at::mm(gy, weight), gz * doubled(c, scaling), basis->v);
    return {gx, gc};
  }
};

/// y = x (W + dW)' + b with W and b frozen, on rows.
struct dense_spectrum final : spectrum_operation {
  using spectrum_operation::spectrum_operation;

  tensor forward(const tensor& x, const tensor& weight, const tensor& bias, const tensor& c) {
    const auto effective = with_spectrum(weight, c, scaling, *basis);
    keep({x, weight, c, effective});
    return at::linear(x, effective, bias);
  }

  std::vector<tensor> gradients(const tensor& gy) override {
    const auto [x, weight, c, effective] = kept<4>();
    tensor gx, gc;
    if (wants(of_x))
      gx = at::mm(gy, at::GradMode::is_enabled() ? with_spectrum(weight, c, scaling, *basis) : effective);
    if (wants(of_c)) {
      if (can_transform(*basis) && costs_of(*basis).gradient_by_transform(static_cast<double>(x.size(0))))
        gc = basis->entries_of(at::mm(gy.t(), x)).mul_(scaling);
      else
        gc = entry_gradient(onto_waves(gy, basis->u), onto_waves(x, basis->v), scaling);
    }
    return {gx, gc};
  }
};

}  // namespace detail

/// FourierFT: y = (W + dW) x + b with dW = s Re(ifft2(F)), where F [out, in] has N real entries that train,
/// at fixed random locations (Gao et al., "Parameter-Efficient Fine-Tuning with Discrete Fourier Transform",
/// ICML 2024, eq. 2-4).
///
/// Locations are the first N numbers of torch.randperm(out in) from a CPU generator with the options' seed:
/// row = number / in, column = number mod in. No file holds them; layers of equal shape, seed and N share
/// them and their waves, 2N (out + in) numbers.
///
/// Registers `fourierft_spectrum` [N], from N(0, 1): unless the options say `starts_as_base`, the adapted
/// layer does not begin as its base.
template <index_t N, fourier_ft_options Options = {}>
struct fourier_ft {
  static_assert(N >= 1, "fmsb::adapt::fourier_ft<N> requires at least one entry");

  static constexpr index_t entries = N;
  static constexpr fourier_ft_options options = Options;

  static std::string describe() {
    return "fourier_ft(n=" + std::to_string(N) + ", scaling=" + number_text(Options.scaling) +
           ", seed=" + std::to_string(Options.seed) + ")";
  }

  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer.
template <index_t N, fourier_ft_options Options>
template <class Base>
class fourier_ft<N, Options>::on : public adapted<Base, N> {
  static_assert(linear_layer<Base>, "fmsb::adapt::fourier_ft adapts a linear layer");
  static_assert(
      !requires(const Base& b) { b.fourierft_spectrum; },
      "fmsb::adapt::fourier_ft: the layer has a spectrum already; several of a kind are a bank");
  static_assert(Base::weight_count == dynamic || N <= Base::weight_count,
                "fmsb::adapt::fourier_ft<N> requires a weight of at least N numbers");

 public:
  using adapter = fourier_ft;
  using parent = adapted<Base, N>;
  using parent::parent;

  tensor fourierft_spectrum;  ///< [N]

  /// @throws usage_error if a weight of dynamic extents has fewer than N numbers
  void reset() override {
    parent::reset();
    if (this->weight.numel() < N)
      throw usage_error(Base::describe() + " has a weight of " + std::to_string(this->weight.numel()) +
                        " numbers; a spectrum with " + std::to_string(N) +
                        " entries does not fit. Use a smaller fourier_ft<N>.");
    fourierft_spectrum = this->register_parameter(
        "fourierft_spectrum", Options.starts_as_base ? nn::filled({N}, 0) : nn::drawn_normal({N}, 1));
  }

  /// The form of a call on so many tokens, with or without gradients.
  fourier_form form_for(index_t tokens, bool gradients) const {
    if constexpr (Options.form != fourier_form::automatic) return Options.form;
    return static_cast<double>(tokens) < dense_from(gradients) ? fourier_form::factored : fourier_form::dense;
  }

  tensor forward(const tensor& x) const {
    if constexpr (is_adapted<Base>) {
      return Base::forward(x) + this->map(x, delta());
    } else {
      return detail::on_rows(x, this->weight, [&](const tensor& rows) -> tensor {
        if (!detail::frozen_base(this->weight, this->bias))
          return at::linear(rows, this->weight + delta(), this->bias);
        const bool gradients =
            at::GradMode::is_enabled() && (rows.requires_grad() || fourierft_spectrum.requires_grad());
        return form_for(rows.size(0), gradients) == fourier_form::factored
                   ? by_operation<detail::factored_spectrum>(rows)
                   : by_operation<detail::dense_spectrum>(rows);
      });
    }
  }

  tensor effective_weight() const { return Base::effective_weight() + delta(); }

  std::string describe() const override { return Base::describe() + " + " + fourier_ft::describe(); }

 private:
  template <class Operation>
  tensor by_operation(const tensor& rows) const {
    return nn::apply_operation(
        nn::make_operation<Operation>(basis(), Options.scaling), {rows, fourierft_spectrum},
        [&](auto& node) { return node.forward(rows, this->weight, this->bias, fourierft_spectrum); });
  }

  /// dW [out, in].
  tensor delta() const {
    const auto held = basis();
    return at::mm((held->u * detail::doubled(fourierft_spectrum, Options.scaling).unsqueeze(1)).t(), held->v);
  }

  std::shared_ptr<const detail::spectrum_basis> basis() const {
    const auto device = this->weight.device();
    const detail::spectrum_key key{this->weight.size(0), this->weight.size(1),       N,
                                   Options.seed,         this->weight.scalar_type(), device.type(),
                                   device.index()};
    auto held = basis_.load();
    if (!held || held->key != key) basis_.store(held = detail::shared_basis(key));
    return held;
  }

  /// A constant where the type fixes the extents.
  double dense_from(bool gradients) const {
    if constexpr (Base::weight_count != dynamic) {
      constexpr spectrum_costs costs{Base::out_features, Base::in_features, N};
      constexpr double with = costs.dense_from(true), without = costs.dense_from(false);
      return gradients ? with : without;
    } else {
      return spectrum_costs{static_cast<double>(this->weight.size(0)),
                            static_cast<double>(this->weight.size(1)), N}
          .dense_from(gradients);
    }
  }

  detail::kept<detail::spectrum_basis> basis_;
};

}  // namespace fmsb::adapt
