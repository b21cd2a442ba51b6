#pragma once
#include "fmsb/adapt/adapted.hpp"        // adapted
#include "fmsb/adapt/frozen_factor.hpp"  // frozen_factor
#include "fmsb/adapt/kept.hpp"           // kept, shared_table
#include "fmsb/adapt/on_rows.hpp"        // linear_layer, on_rows, frozen_base
#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/core/number_text.hpp"     // number_text
#include "fmsb/nn/initialise.hpp"        // filled
#include "fmsb/nn/operation.hpp"         // operation, apply_operation

#include <ATen/CPUGeneratorImpl.h>  // at::detail::createCPUGenerator

#include <cmath>    // std::sqrt
#include <compare>  // operator<=>
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <memory>   // std::shared_ptr
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::adapt {

struct vera_options {
  index_t max_in = 0;      ///< columns of the shared A: the widest input of all layers; 0: this layer's own
  index_t max_out = 0;     ///< rows of the shared B, likewise
  std::uint64_t key = 0;   ///< seed of A and B
  double initial_d = 0.1;  ///< what lambda_d starts at
  double dropout = 0;      ///< on the branch's input, when training
  friend bool operator==(const vera_options&, const vera_options&) = default;
};

namespace detail {

struct projections_key {
  index_t rank, max_in, max_out;
  std::uint64_t seed;
  at::ScalarType type;
  at::DeviceType device;
  index_t device_index;
  friend auto operator<=>(const projections_key&, const projections_key&) = default;
};

/// A [rank, max_in] and B [max_out, rank], the random matrices that all layers of a model share; a layer
/// takes their first columns and rows. Each is there as a factor from both sides.
struct projections {
  projections_key key;
  frozen_factor a, a_transposed, b, b_transposed;

  static projections draw(const projections_key& key) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(key.seed);
    const at::Device device(key.device, static_cast<c10::DeviceIndex>(key.device_index));
    const auto drawn = [&](index_t rows, index_t columns) {
      const double bound = std::sqrt(6.0 / static_cast<double>(columns));  // Kaiming uniform, fan in
      return at::empty({rows, columns}, at::kFloat).uniform_(-bound, bound, generator).to(device, key.type);
    };
    const auto a = drawn(key.rank, key.max_in), b = drawn(key.max_out, key.rank);
    return {key, frozen_factor(a), frozen_factor(a.t()), frozen_factor(b), frozen_factor(b.t())};
  }
};

inline std::shared_ptr<const projections> shared_projections(const projections_key& key) {
  static shared_table<projections_key, projections> table;
  return table.get(key, &projections::draw);
}

/// y = x W' + b + lambda_b o ((lambda_d o (x A')) B') with all but the vectors frozen, on rows.
struct vera_rows final : nn::operation {
  enum input : std::size_t { of_x, of_lambda_b, of_lambda_d };

  explicit vera_rows(std::shared_ptr<const projections> shared) : shared_(std::move(shared)) {}

  tensor forward(const tensor& x, const tensor& weight, const tensor& bias, const tensor& lambda_b,
                 const tensor& lambda_d) {
    // The small matrices last, and in backward first: they are in the cache still.
    const auto y = at::linear(x, weight, bias);
    const auto z = shared_->a.product(x, lambda_d.size(0));
    const auto w = shared_->b.product(z * lambda_d, weight.size(0));
    y.addcmul_(w, lambda_b);
    keep({x, weight, lambda_b, lambda_d, z, w});
    return y;
  }

  std::vector<tensor> gradients(const tensor& gy) override {
    const auto [x, weight, lambda_b, lambda_d, kept_z, kept_w] = kept<6>();
    const index_t rank = lambda_d.size(0), in = weight.size(1), out = weight.size(0);
    // What forward kept has no history; for a second derivative it is computed once more, with one.
    const bool again = at::GradMode::is_enabled();
    const auto z = again ? shared_->a.product(x, rank) : kept_z;
    tensor gx, g_lambda_b, g_lambda_d;
    if (wants(of_lambda_b))
      g_lambda_b = (gy * (again ? shared_->b.product(z * lambda_d, out) : kept_w)).sum(0);
    // A vector scales the rows or the matrix, whichever are fewer.
    const bool few = gy.size(0) < rank;
    const auto gz = few ? shared_->b_transposed.product(gy * lambda_b, rank)
                        : at::mm(gy, shared_->b.part(out, rank) * lambda_b.unsqueeze(1));
    if (wants(of_lambda_d)) g_lambda_d = (gz * z).sum(0);
    if (wants(of_x)) {
      gx = few ? shared_->a_transposed.product(gz * lambda_d, in)
               : at::mm(gz, shared_->a.part(rank, in) * lambda_d.unsqueeze(1));
      gx.addmm_(gy, weight);
    }
    return {gx, g_lambda_b, g_lambda_d};
  }

 private:
  std::shared_ptr<const projections> shared_;
};

}  // namespace detail

/// VeRA: y = W x + b + lambda_b o (B (lambda_d o (A drop(x)))) with random A [Rank, in] and B [out, Rank]
/// that a whole model shares and nobody trains (Kopiczko et al., "VeRA: Vector-based Random Matrix
/// Adaptation", ICLR 2024, eq. 2).
///
/// A and B are slices of matrices [Rank, max_in] and [max_out, Rank], drawn from U(-sqrt(6 / columns),
/// sqrt(6 / columns)), A first, from one CPU generator with the options' key. They are no parameters: layers
/// of equal options, number type and device hold one copy together, and a file that lacks them loses nothing.
///
/// Registers `vera_lambda_b` [out], zeros, and `vera_lambda_d` [Rank]: the adapted layer begins as its base.
template <index_t Rank = 256, vera_options Options = {}>
struct vera {
  static_assert(Rank >= 1, "fmsb::adapt::vera<Rank> requires a rank of at least 1");
  static_assert(Options.dropout >= 0 && Options.dropout < 1,
                "fmsb::adapt::vera requires a dropout from 0 up to, but not including, 1");
  static_assert(Options.max_in >= 0 && Options.max_out >= 0,
                "fmsb::adapt::vera requires shared extents of at least 1, or 0 for the layer's own");

  static constexpr index_t rank = Rank;
  static constexpr vera_options options = Options;

  static std::string describe() {
    const auto shared = [](const char* name, index_t extent) {
      return extent > 0 ? std::string(", ") + name + "=" + std::to_string(extent) : std::string();
    };
    return "vera(rank=" + std::to_string(Rank) + shared("max_in", Options.max_in) +
           shared("max_out", Options.max_out) + ", key=" + std::to_string(Options.key) +
           (Options.dropout > 0 ? ", dropout=" + number_text(Options.dropout) : "") + ")";
  }

  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer.
template <index_t Rank, vera_options Options>
template <class Base>
class vera<Rank, Options>::on : public adapted<Base, nn::sum_of(Rank, detail::out_features_of<Base>)> {
  static_assert(linear_layer<Base>, "fmsb::adapt::vera adapts a linear layer");
  static_assert(
      !requires(const Base& b) { b.vera_lambda_b; },
      "fmsb::adapt::vera: the layer has such vectors already; several of a kind are a bank");
  static_assert((Options.max_in == 0 || detail::in_features_of<Base> <= Options.max_in) &&
                    (Options.max_out == 0 || detail::out_features_of<Base> <= Options.max_out),
                "fmsb::adapt::vera: this layer is wider than the shared matrices; max_in and max_out are the "
                "widest input and output of all layers that share them");

 public:
  using adapter = vera;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  tensor vera_lambda_b;  ///< [out]
  tensor vera_lambda_d;  ///< [Rank]

  /// @throws usage_error if dynamic extents are wider than the shared matrices
  void reset() override {
    parent::reset();
    const index_t in = this->weight.size(1), out = this->weight.size(0);
    if (in > shared_in() || out > shared_out())
      throw usage_error(Base::describe() + " is wider than the matrices that " + vera::describe() +
                        " shares. Set max_in and max_out to the widest input and output of all its layers.");
    vera_lambda_b = this->register_parameter("vera_lambda_b", nn::filled({out}, 0));
    vera_lambda_d = this->register_parameter("vera_lambda_d", nn::filled({Rank}, Options.initial_d));
  }

  /// This layer's slices of the shared matrices, in its number type and on its device.
  tensor shared_A() const { return matrices()->a.part(Rank, this->weight.size(1)); }  ///< [Rank, in]
  tensor shared_B() const { return matrices()->b.part(this->weight.size(0), Rank); }  ///< [out, Rank]

  tensor forward(const tensor& x) const {
    if constexpr (!is_adapted<Base> && Options.dropout == 0)
      if (detail::frozen_base(this->weight, this->bias))
        return detail::on_rows(x, this->weight, [&](const tensor& rows) -> tensor {
          return nn::apply_operation(nn::make_operation<detail::vera_rows>(matrices()),
                                     {rows, vera_lambda_b, vera_lambda_d}, [&](auto& node) {
                                       return node.forward(rows, this->weight, this->bias, vera_lambda_b,
                                                           vera_lambda_d);
                                     });
        });
    const auto z =
        at::linear(at::dropout(x, Options.dropout, this->is_training()), shared_A()) * vera_lambda_d;
    return Base::forward(x).addcmul(at::linear(z, shared_B()), vera_lambda_b);
  }

  tensor effective_weight() const {
    return Base::effective_weight() +
           at::mm(shared_B() * vera_lambda_b.unsqueeze(1), shared_A() * vera_lambda_d.unsqueeze(1));
  }

  std::string describe() const override { return Base::describe() + " + " + vera::describe(); }

 private:
  index_t shared_in() const { return Options.max_in > 0 ? Options.max_in : this->weight.size(1); }
  index_t shared_out() const { return Options.max_out > 0 ? Options.max_out : this->weight.size(0); }

  std::shared_ptr<const detail::projections> matrices() const {
    const auto device = this->weight.device();
    const detail::projections_key key{
        Rank,          shared_in(),   shared_out(), Options.key, this->weight.scalar_type(),
        device.type(), device.index()};
    auto held = matrices_.load();
    if (!held || held->key != key) matrices_.store(held = detail::shared_projections(key));
    return held;
  }

  detail::kept<detail::projections> matrices_;
};

}  // namespace fmsb::adapt
