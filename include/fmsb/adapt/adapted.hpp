#pragma once
#include "fmsb/nn/counts.hpp"  // sum_of, parameters
#include "fmsb/nn/layer.hpp"   // layer_type
#include "fmsb/nn/with.hpp"    // plain_of

#include <concepts>  // std::same_as

/// Parameter-efficient adaptation: the layer's own numbers are frozen, a mixin adds a few that train.
namespace fmsb::adapt {

/// A layer whose forward is y = map(x, weight) + bias, linear in the weight: a linear or convolution layer or
/// an embedding, plain or already adapted.
template <class T>
concept linear_map = nn::layer_type<T> && requires(const T& layer, const tensor& x) {
  { layer.map(x, layer.weight) } -> std::convertible_to<tensor>;
  { layer.mix(x, layer.weight) } -> std::convertible_to<tensor>;
  { layer.effective_weight() } -> std::convertible_to<tensor>;
  { layer.effective_bias() } -> std::convertible_to<tensor>;
  layer.extents();
};

/// What stands in an adapter's way where `linear_map` fails: one word for all sentences of this folder.
template <class T>
inline constexpr bool is_adapted = requires {
  typename T::adapted_tag;
};

namespace detail {
template <class T>
struct bare {
  using type = T;
};
template <class T>
requires is_adapted<T>
struct bare<T> {
  using type = typename T::bare;
};
}  // namespace detail

/// The layer as it was declared, before any adapter; unlike `nn::plain_of`, which beft gives a bias.
template <class T>
using bare_of = typename detail::bare<T>::type;

/// What every adapter derives from: Base with its plain layer frozen.
///
/// A mixin `on<Base>` derives from `adapted<Base, Own>`; its `reset()` calls this one first and then
/// registers its own parameters, which train.
///
/// @tparam Own  numbers that the adapter trains
template <nn::layer_type Base, index_t Own>
class adapted : public Base {
 public:
  using adapted_tag = void;
  using plain = nn::plain_of<Base>;
  using bare = bare_of<Base>;
  using inner = Base;  ///< what the adapter stands on
  static constexpr index_t adapter_parameter_count = Own;
  static constexpr index_t parameter_count = nn::sum_of(nn::parameters<Base>, Own);
  static constexpr index_t trainable_parameter_count =
      nn::sum_of(is_adapted<Base> ? nn::trainable_parameters<Base> : 0, Own);

  using Base::Base;

  void reset() override {
    Base::reset();
    if constexpr (!is_adapted<Base>)
      for (auto& p : this->parameters()) p.requires_grad_(false);
  }
};

namespace detail {

/// Features of a layer, `dynamic` where it names none: so that a static_assert speaks before the compiler.
template <class T>
inline constexpr index_t in_features_of = dynamic;
template <class T>
requires requires { T::in_features; }
inline constexpr index_t in_features_of<T> = T::in_features;
template <class T>
inline constexpr index_t out_features_of = dynamic;
template <class T>
requires requires { T::out_features; }
inline constexpr index_t out_features_of<T> = T::out_features;

/// Layers that take a bias, and their type with one.
template <class T>
inline constexpr bool has_biased = requires {
  typename T::biased;
};
template <class T>
struct biased_of {
  using type = T;
};
template <class T>
requires has_biased<T>
struct biased_of<T> {
  using type = typename T::biased;
};

/// Whether merging an adapter may give a layer a bias.
template <class Adapter>
inline constexpr bool adds_bias = false;
template <class Adapter>
requires requires { Adapter::adds_bias; }
inline constexpr bool adds_bias<Adapter> = Adapter::adds_bias;

}  // namespace detail

/// Freezes a layer and adds nothing: what a plan makes of every layer that it does not name.
struct frozen {
  template <nn::layer_type Base>
  class on : public adapted<Base, 0> {
   public:
    using adapted<Base, 0>::adapted;
  };
};

/// Trains the layer as it is, the reference of every comparison.
struct full {
  template <nn::layer_type Base>
  using on = Base;
};

}  // namespace fmsb::adapt
