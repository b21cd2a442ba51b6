#pragma once
#include "fmsb/adapt/adapted.hpp"  // is_adapted
#include "fmsb/nn/composite.hpp"   // composite
#include "fmsb/nn/initialise.hpp"  // without_initialisation
#include "fmsb/nn/module.hpp"      // module
#include "fmsb/nn/repeat.hpp"      // repeat
#include "fmsb/nn/with.hpp"        // plain_of

#include <concepts>     // std::default_initializable
#include <memory>       // std::make_shared
#include <tuple>        // std::tuple
#include <type_traits>  // std::type_identity
#include <utility>      // std::index_sequence

namespace fmsb::adapt {

namespace detail {

template <class T>
concept has_children = requires {
  typename T::children;
};
template <class T>
concept has_blocks = requires(const T& t) {
  t.first();
  typename T::first_block;
};

/// Copies the numbers that a module holds itself, by name.
inline void copy_own(const torch::nn::Module& from, torch::nn::Module& into) {
  const auto parameters = into.named_parameters(/*recurse=*/false);
  for (const auto& item : from.named_parameters(/*recurse=*/false))
    if (auto* own = parameters.find(item.key())) own->set_data(item->detach().clone());
  const auto buffers = into.named_buffers(/*recurse=*/false);
  for (const auto& item : from.named_buffers(/*recurse=*/false))
    if (auto* own = buffers.find(item.key())) own->set_data(item->detach().clone());
}

template <class From, class Into>
void fold_layer(const From& from, Into& into) {
  static_assert(std::same_as<nn::plain_of<From>, Into>,
                "fmsb::adapt::merge: merging an adapter gives a layer of another type than the plain type of "
                "its composite holds. A bias that beft added needs a layer with one: write "
                "`using plain = self_attention<config, typename Plan::merged>;`");
  if constexpr (is_adapted<From> && requires { from.tuned(); }) {
    copy_own(from.tuned(), into);
  } else {
    copy_own(from, into);
    if constexpr (is_adapted<From> && requires { from.effective_weight(); }) {
      into.weight.set_data(from.effective_weight().detach().clone());
      if (const auto bias = from.effective_bias(); bias.defined()) into.bias.set_data(bias.detach().clone());
    }
  }
}

template <class From, class Into>
void fold(const From& from, Into& into) {
  into.train(from.is_training());
  if constexpr (has_blocks<From>) {
    fold(from.first(), into.first());
    for (index_t i = 1; i < From::size; ++i) fold(from[i], into[i]);
  } else if constexpr (has_children<From>) {
    copy_own(from, into);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (fold(from.template at<std::tuple_element_t<I, typename From::children>::name>(),
            into.template at<std::tuple_element_t<I, typename From::children>::name>()),
       ...);
    }
    (std::make_index_sequence<std::tuple_size_v<typename From::children>>{});
  } else {
    fold_layer(from, into);
  }
}

template <class T>
constexpr bool holds_adapters() {
  if constexpr (has_blocks<T>)
    return holds_adapters<typename T::first_block>() || holds_adapters<typename T::block>();
  else if constexpr (has_children<T>)
    return []<class... Children>(std::type_identity<std::tuple<Children...>>) {
      return (holds_adapters<typename Children::type>() || ...);
    }(std::type_identity<typename T::children>{});
  else
    return is_adapted<T>;
}

/// The plain layer, not built, with the extents of the adapted one.
template <class T>
nn::plain_of<T> plain_prototype(const T& from) {
  using plain = nn::plain_of<T>;
  if constexpr (std::default_initializable<plain>)
    return plain();
  else if constexpr (requires { plain(from.extents()); })
    return plain(from.extents());
  else if constexpr (has_blocks<T>) {
    if constexpr (std::same_as<typename T::block, typename T::first_block>)
      return plain(plain_prototype(from.first()));
    else
      return plain(plain_prototype(from.first()), plain_prototype(from[1]));
  } else
    return [&]<class... Children>(std::type_identity<std::tuple<Children...>>) {
      return plain(plain_prototype(from.template at<Children::name>())...);
    }(std::type_identity<typename T::children>{});
}

}  // namespace detail

/// The plain module with all adapters folded into the weights: same outputs, no adapter, no cost. The adapted
/// module keeps its base, so there is nothing to unmerge.
template <class T>
nn::module<nn::plain_of<T>> merge(const nn::module<T>& adapted) {
  static_assert(!detail::holds_adapters<nn::plain_of<T>>(),
                "fmsb::adapt::merge: a composite that holds adapters must tell its plain type, as in "
                "`using plain = self_attention<config>;`");
  const torch::NoGradGuard no_gradient;
  nn::module<nn::plain_of<T>> merged(nullptr);
  {
    const nn::without_initialisation not_drawn;
    merged = nn::module<nn::plain_of<T>>(nn::detail::build_as(detail::plain_prototype<T>(*adapted)));
  }
  detail::fold<T, nn::plain_of<T>>(*adapted, *merged);
  return merged;
}

}  // namespace fmsb::adapt
