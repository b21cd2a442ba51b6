#pragma once
#include "fmsb/nn/layer.hpp"  // layer_type

namespace fmsb::nn {

namespace detail {
template <layer_type Layer, class... Mixins>
struct apply {
  using type = Layer;
};
template <layer_type Layer, class Mixin, class... Others>
struct apply<Layer, Mixin, Others...> : apply<typename Mixin::template on<Layer>, Others...> {};
}  // namespace detail

/// A layer with mixins, the first one innermost: with<linear<8, 8>, a, b> is b on a on the linear layer. A
/// mixin is a class with a member template `on<Base>` that derives from Base.
template <layer_type Layer, class... Mixins>
using with = typename detail::apply<Layer, Mixins...>::type;

/// The layer under all mixins, as merging them gives it: `T::plain`; T itself where it says nothing.
namespace detail {
template <class T>
struct plain {
  using type = T;
};
template <class T>
requires requires { typename T::plain; }
struct plain<T> {
  using type = typename T::plain;
};
}  // namespace detail

template <class T>
using plain_of = typename detail::plain<T>::type;

}  // namespace fmsb::nn
