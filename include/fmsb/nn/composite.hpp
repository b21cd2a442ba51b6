#pragma once
#include "fmsb/core/fingerprint.hpp"   // hash_of, hash_text
#include "fmsb/core/fixed_string.hpp"  // fixed_string
#include "fmsb/nn/counts.hpp"          // sum_of
#include "fmsb/nn/parts.hpp"           // part, named_kind, kind_of
#include "fmsb/nn/with.hpp"            // plain_of

#include <array>        // std::array
#include <concepts>     // std::default_initializable
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <tuple>        // std::tuple
#include <utility>      // std::as_const, std::move

namespace fmsb::nn {

/// One named part of a composite. The name is that of LibTorch's registration, hence of the state dict.
template <fixed_string Name, layer_type T>
struct child {
  static_assert(Name.size() > 0 && Name.view().find('.') == Name.view().npos,
                "fmsb::nn::child: a name has at least one character and no dot; a dot separates the names of "
                "nested children in a checkpoint");
  static constexpr auto name = Name;
  using type = T;
};

/// Leaves every layer as it is, and trains it: the plan of a model that nobody adapts. Plans that adapt are
/// in adapt/plan.hpp, which calls this one `adapt::none`.
struct unplanned {
  template <fixed_string Name, layer_type Layer>
  using child = nn::child<Name, Layer>;
  template <fixed_string Name>
  using under = unplanned;
  using merged = unplanned;
};

namespace detail {

/// "block#8f3a01c2" for "block<...>"; a class without arguments keeps its name.
inline std::string short_name(const std::string& type) {
  const auto arguments = type.find('<');
  return arguments == type.npos ? type
                                : type.substr(0, arguments) + "#" + hash_text(hash_of(type)).substr(0, 8);
}

template <class... Children>
constexpr std::size_t position_of(std::string_view name) {
  std::size_t at = 0, found = sizeof...(Children);
  ((Children::name.view() == name ? void(found = at) : void(), ++at), ...);
  return found;
}

template <class... Children>
constexpr bool names_differ() {
  const std::string_view names[] = {Children::name.view()..., ""};
  for (std::size_t i = 0; i < sizeof...(Children); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) return false;
  return true;
}

}  // namespace detail

/// A layer made of named children. One declaration gives registration, the names of the state dict, parameter
/// and cost counts, printing and the fingerprint:
///
///     struct feed_forward : nn::composite<nn::child<"wi", nn::linear<256, 1024>>,
///                                         nn::child<"wo", nn::linear<1024, 256>>> {
///       tensor forward(const tensor& x) const { return at<"wo">().forward(at<"wi">().forward(x).relu()); }
///     };
///
/// In a template the compiler must be told: `this->template at<"wi">()`. A composite with parameters of its
/// own overrides `reset()`, calls this one first, and adds them to `parameter_count`.
template <class... Children>
class composite : public layer {
  static_assert(detail::names_differ<Children...>(), "fmsb::nn::composite: two children have the same name");

  template <fixed_string Name>
  static constexpr std::size_t index = detail::position_of<Children...>(Name.view());

 public:
  /// The declaration, for those who walk a tree of types.
  using children = std::tuple<Children...>;
  template <fixed_string Name>
  using child_type = typename std::tuple_element_t<index<Name>, children>::type;

  static constexpr index_t parameter_count = sum_of(nn::parameters<typename Children::type>...);
  static constexpr index_t trainable_parameter_count =
      sum_of(nn::trainable_parameters<typename Children::type>...);
  /// Of all children for one token each.
  static constexpr index_t multiply_adds = sum_of(nn::multiply_adds<typename Children::type>...);

  composite() requires(std::default_initializable<typename Children::type>&&...) = default;
  /// Children that their type alone does not build: with dynamic extents or options, one prototype each.
  explicit composite(typename Children::type... prototypes) requires(sizeof...(Children) > 0)
      : parts_{detail::part(std::move(prototypes))...} {}

  void reset() override { detail::build_parts(parts_, kinds(), *this); }

  /// The child of a name; there once `reset()` has run.
  template <fixed_string Name>
  auto& at() {
    return const_cast<child_type<Name>&>(std::as_const(*this).template at<Name>());
  }
  template <fixed_string Name>
  const auto& at() const {
    static_assert(index<Name> < sizeof...(Children), "fmsb::nn::composite::at: no child has this name");
    return parts_[index<Name>].template as<child_type<Name>>();
  }

  /// The class and its children: `block{wi: linear(in=256, out=1024), wo: ...}`.
  std::string describe() const override {
    return title() + "{" + detail::describe_parts(parts_, kinds()) + "}";
  }

 protected:
  /// What `describe` calls the composite: the class, and for a template a hash of its arguments, of which any
  /// may change what the numbers mean. A composite whose children tell all overrides it with its plain name.
  virtual std::string title() const { return detail::short_name(layer::describe()); }

 private:
  static std::span<const detail::named_kind> kinds() {
    static constexpr std::array<detail::named_kind, sizeof...(Children)> all{
        detail::named_kind{Children::name.view(), detail::kind_of<typename Children::type>()}...};
    return all;
  }

  std::array<detail::part, sizeof...(Children)> parts_;
};

/// Children that run one after the other, each on what the one before it returns.
template <class... Children>
class sequential : public composite<Children...> {
 public:
  using composite<Children...>::composite;

  static constexpr index_t receptive_field = [] {
    index_t field = 1, step = 1;
    bool known = true;
    ((known = known && nn::receptive_field<typename Children::type> != dynamic,
      field += (nn::receptive_field<typename Children::type> - 1) * step,
      step *= nn::stride<typename Children::type>),
     ...);
    return known ? field : dynamic;
  }();
  static constexpr index_t stride = (index_t{1} * ... * nn::stride<typename Children::type>);

  tensor forward(const tensor& x) const {
    tensor y = x;
    ((y = this->template at<Children::name>().forward(y)), ...);
    return y;
  }

 protected:
  std::string title() const override { return "sequential"; }
};

namespace detail {
template <class... Children>
struct plain<composite<Children...>> {
  using type = composite<child<Children::name, plain_of<typename Children::type>>...>;
};
template <class... Children>
struct plain<sequential<Children...>> {
  using type = sequential<child<Children::name, plain_of<typename Children::type>>...>;
};
}  // namespace detail

}  // namespace fmsb::nn
