#pragma once
#include "fmsb/adapt/adapted.hpp"      // bare_of, frozen
#include "fmsb/core/fixed_string.hpp"  // fixed_string
#include "fmsb/nn/composite.hpp"       // child, unplanned
#include "fmsb/nn/counts.hpp"          // trainable_parameters
#include "fmsb/nn/with.hpp"            // with

#include <algorithm>    // std::copy_n
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <tuple>        // std::tuple
#include <type_traits>  // std::conditional_t, std::type_identity

namespace fmsb::adapt {

namespace detail {

/// How many names a dotted path has, and name i of it.
constexpr std::size_t depth_of(std::string_view path) {
  std::size_t names = path.empty() ? 0 : 1;
  for (const char c : path) names += c == '.';
  return names;
}
constexpr std::string_view name_at(std::string_view path, std::size_t i) {
  for (; i > 0; --i) path.remove_prefix(path.find('.') + 1);
  return path.substr(0, path.find('.'));
}

/// Whether a pattern names a path: it equals the path or its last names ("q", "SelfAttention.q"); "*" stands
/// for any one name. A pattern that starts with a dot must match the path from its beginning.
constexpr bool matches(std::string_view pattern, std::string_view path) {
  const bool whole = pattern.starts_with('.');
  if (whole) pattern.remove_prefix(1);
  const std::size_t wanted = depth_of(pattern), given = depth_of(path);
  if (wanted > given || (whole && wanted != given)) return false;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto name = name_at(pattern, i);
    if (name != "*" && name != name_at(path, given - wanted + i)) return false;
  }
  return true;
}

template <fixed_string Prefix, fixed_string Name>
constexpr auto joined() {
  if constexpr (Prefix.size() == 0)
    return Name;
  else {
    fixed_string<Prefix.size() + 1 + Name.size()> path;
    std::copy_n(Prefix.text, Prefix.size(), path.text);
    path.text[Prefix.size()] = '.';
    std::copy_n(Name.text, Name.size(), path.text + Prefix.size() + 1);
    return path;
  }
}

}  // namespace detail

/// One line of a plan: these adapters, in this order, on the children that the names match.
template <class Names, class... Adapters>
struct rule;

/// The names of a rule: a child's own name ("q"), its last names ("SelfAttention.q"), with "*" for any one
/// name, or a whole path with a dot in front (".encoder.block.*.layer.0.SelfAttention.q"). The layers of a
/// `nn::repeat` are equal by type: their place in a path is "*".
template <fixed_string... Patterns>
struct names {
  static constexpr bool match(std::string_view path) {
    return (detail::matches(Patterns.view(), path) || ...);
  }
};

template <fixed_string... Patterns, class... Adapters>
struct rule<names<Patterns...>, Adapters...> {
  static_assert(sizeof...(Patterns) > 0 && sizeof...(Adapters) > 0,
                "fmsb::adapt::rule: name at least one child and one adapter");
  using patterns = names<Patterns...>;
  static constexpr bool adds_bias = (detail::adds_bias<Adapters> || ...);
  template <nn::layer_type Layer>
  using adapted = nn::with<Layer, Adapters...>;
};

/// The plan of a model that nobody adapts: every layer as it is, and trained.
using none = nn::unplanned;

/// The layers of a plan as merging gives them, where that changes a type: beft gives a layer a bias.
template <class Plan>
struct merged_plan {
  template <fixed_string Name, nn::layer_type Layer>
  using child = nn::child<Name, nn::plain_of<typename Plan::template child<Name, Layer>::type>>;
  template <fixed_string Name>
  using under = merged_plan<typename Plan::template under<Name>>;
  using merged = merged_plan;
};

namespace detail {

template <fixed_string Path, nn::layer_type Layer, class... Rules>
struct planned {
  using type = nn::with<Layer, frozen>;
};
template <fixed_string Path, nn::layer_type Layer, class Rule, class... Rules>
struct planned<Path, Layer, Rule, Rules...> {
  template <bool Hit, class = void>
  struct choose : planned<Path, Layer, Rules...> {};
  template <class Unused>
  struct choose<true, Unused> {
    using type = typename Rule::template adapted<Layer>;
  };
  using type = typename choose<Rule::patterns::match(Path.view())>::type;
};

template <fixed_string Path, fixed_string... Patterns>
constexpr bool any_match = (matches(Patterns.view(), Path.view()) || ...);

/// Whether a pattern names a layer of the tree T that its rule adapts.
template <fixed_string Pattern, class Rule, class T, fixed_string Path = "">
constexpr bool reaches() {
  if constexpr (requires { typename T::first_block; })
    return reaches<Pattern, Rule, typename T::first_block, joined<Path, "*">()>() ||
           reaches<Pattern, Rule, typename T::block, joined<Path, "*">()>();
  else if constexpr (requires { typename T::children; })
    return []<class... Children>(std::type_identity<std::tuple<Children...>>) {
      return (reaches<Pattern, Rule, typename Children::type, joined<Path, Children::name>()>() || ...);
    }(std::type_identity<typename T::children>{});
  else if constexpr (any_match<Path, Pattern>)
    return std::same_as<T, typename Rule::template adapted<bare_of<T>>>;
  else
    return false;
}

template <class Rule, class T>
struct every_name;
template <fixed_string... Patterns, class... Adapters, class T>
struct every_name<rule<names<Patterns...>, Adapters...>, T> {
  template <fixed_string Pattern>
  static constexpr bool check() {
    static_assert(
        reaches<Pattern, rule<names<Patterns...>, Adapters...>, T>(),
        "fmsb::adapt::plan: a name matches no layer of the model, or an earlier rule took all that it "
        "matches; the name is the first template argument of `check` above");
    return true;
  }
  static constexpr bool value = (check<Patterns>() && ...);
};

}  // namespace detail

/// Which adapter stands where, decided by the compiler. A model takes a plan as a template argument, asks it
/// for each of its layers and hands it on to its parts:
///
///     template <config C, class Plan = adapt::none>
///     struct self_attention
///         : nn::composite<typename Plan::template child<"q", nn::linear<C.d_model, C.inner>>, ...> {};
///     template <config C, class Plan = adapt::none>
///     struct block : nn::composite<nn::child<"attention",
///                                            self_attention<C, typename Plan::template under<"attention">>>>
///                                            {};
///
/// The first rule that names a layer's path adapts it; a layer that none names is frozen.
template <fixed_string Prefix, class... Rules>
struct plan_under {
  template <fixed_string Name, nn::layer_type Layer>
  using child =
      nn::child<Name, typename detail::planned<detail::joined<Prefix, Name>(), Layer, Rules...>::type>;
  template <fixed_string Name>
  using under = plan_under<detail::joined<Prefix, Name>(), Rules...>;
  /// The plan of the merged model, for `using plain = self_attention<C, typename Plan::merged>`: `none`,
  /// unless an adapter changes a layer's type.
  using merged = std::conditional_t<(Rules::adds_bias || ...), merged_plan<plan_under>, none>;
  using rules = std::tuple<Rules...>;

  /// Checked by `nn::module<Model>` for a Model that tells its plan (`using plan = Plan;`): every name
  /// matches, and something trains.
  template <class Model>
  static constexpr bool accepts() {
    static_assert((detail::every_name<Rules, Model>::value && ...));
    static_assert(
        nn::trainable_parameters<Model> != 0,
        "fmsb::adapt::plan: nothing is left to train. BitFit on a model without biases is such a plan; "
        "beft adds biases and trains them");
    return true;
  }
};

template <class... Rules>
using plan = plan_under<"", Rules...>;

}  // namespace fmsb::adapt
