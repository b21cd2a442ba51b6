#pragma once
#include "fmsb/space/distributions.hpp"  // distribution

#include <boost/hana/accessors.hpp>  // hana::accessors_impl
#include <boost/hana/core/when.hpp>  // hana::when
#include <boost/hana/pair.hpp>       // hana::make_pair
#include <boost/hana/string.hpp>     // hana::string
#include <boost/hana/tuple.hpp>      // hana::make_tuple

#include <cstddef>          // std::size_t
#include <source_location>  // std::source_location
#include <string_view>      // std::string_view
#include <tuple>            // std::tie
#include <type_traits>      // std::is_aggregate_v
#include <utility>          // std::index_sequence

// The members of a plain struct of distributions, by number and by name, without a macro: counted by how
// many initialisers the struct takes, reached by structured bindings, named by what the compiler calls a
// pointer to them.

namespace fmsb::space::detail {

struct any_distribution {
  template <distribution T>
  operator T() const;
};

struct anything {
  template <class T>
  operator T() const;
};

template <class S, class... Further, std::size_t... I>
constexpr bool takes_initialisers(std::index_sequence<I...>) {
  return requires { S{(static_cast<void>(I), any_distribution{})..., Further{}...}; };
}

inline constexpr std::size_t most_members = 16;

template <class S, std::size_t Count = 0>
constexpr std::size_t count_members() {
  if constexpr (Count <= most_members && takes_initialisers<S>(std::make_index_sequence<Count + 1>{}))
    return count_members<S, Count + 1>();
  else
    return Count;
}

template <class S>
constexpr bool has_only_distributions() {
  constexpr std::size_t count = count_members<S>();
  return count > 0 && !takes_initialisers<S, anything>(std::make_index_sequence<count>{});
}

/// A complete aggregate of distributions and nothing else, found without asking types that are none.
template <class S>
concept plain_struct = requires {
  sizeof(S);
}
&&std::is_class_v<S>&& std::is_aggregate_v<S> && !std::is_empty_v<S> && std::is_default_constructible_v<S> &&
    !requires {
  std::tuple_size<S>::value;
}
&&has_only_distributions<S>();

/// A constant object whose members lend their addresses, and types, to templates.
template <class S>
inline constexpr S specimen{};

// clang-format off
template <class S>
constexpr auto tie_members(S& s) {
  constexpr std::size_t count = count_members<std::remove_const_t<S>>();
  static_assert(count <= most_members, "fmsb::space::hyper_parameters: a plain struct may have up to 16 members; list the members of a longer one by BOOST_HANA_ADAPT_STRUCT");
  if constexpr (count == 1) { auto& [a] = s; return std::tie(a); }
  else if constexpr (count == 2) { auto& [a, b] = s; return std::tie(a, b); }
  else if constexpr (count == 3) { auto& [a, b, c] = s; return std::tie(a, b, c); }
  else if constexpr (count == 4) { auto& [a, b, c, d] = s; return std::tie(a, b, c, d); }
  else if constexpr (count == 5) { auto& [a, b, c, d, e] = s; return std::tie(a, b, c, d, e); }
  else if constexpr (count == 6) { auto& [a, b, c, d, e, f] = s; return std::tie(a, b, c, d, e, f); }
  else if constexpr (count == 7) { auto& [a, b, c, d, e, f, g] = s; return std::tie(a, b, c, d, e, f, g); }
  else if constexpr (count == 8) { auto& [a, b, c, d, e, f, g, h] = s; return std::tie(a, b, c, d, e, f, g, h); }
  else if constexpr (count == 9) { auto& [a, b, c, d, e, f, g, h, i] = s; return std::tie(a, b, c, d, e, f, g, h, i); }
  else if constexpr (count == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = s; return std::tie(a, b, c, d, e, f, g, h, i, j); }
  else if constexpr (count == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k); }
  else if constexpr (count == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l); }
  else if constexpr (count == 13) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m); }
  else if constexpr (count == 14) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n); }
  else if constexpr (count == 15) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o); }
  else if constexpr (count == 16) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = s; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p); }
}
// clang-format on

// g++ writes "[with auto* Member = (& specimen<sgd>.sgd::lr); ...", clang "[Member = &specimen.lr]": the name
// is the last word before the closing bracket, semicolon or parenthesis.
template <const auto* Member>
consteval std::string_view name_of_member() {
  std::string_view text = std::source_location::current().function_name();
  text.remove_prefix(text.find("Member = "));
  text = text.substr(0, text.find_first_of(";]"));
  while (text.ends_with(')')) text.remove_suffix(1);
  return text.substr(text.find_last_of(".:") + 1);
}

template <class S, std::size_t I>
inline constexpr std::string_view member_name = name_of_member<&std::get<I>(tie_members(specimen<S>))>();

template <std::size_t I>
struct member_accessor {
  template <class S>
  constexpr auto& operator()(S&& s) const {
    return std::get<I>(tie_members(s));
  }
};

template <class S, std::size_t I, std::size_t... Place>
constexpr auto name_string(std::index_sequence<Place...>) {
  return boost::hana::string<member_name<S, I>[Place]...>{};
}

template <class S, std::size_t... I>
constexpr auto member_accessors(std::index_sequence<I...>) {
  return boost::hana::make_tuple(boost::hana::make_pair(
      name_string<S, I>(std::make_index_sequence<member_name<S, I>.size()>{}), member_accessor<I>{})...);
}

}  // namespace fmsb::space::detail

namespace boost::hana {

/// Makes a plain struct of distributions a Hana Struct, as BOOST_HANA_ADAPT_STRUCT would.
template <class S>
struct accessors_impl<S, when<fmsb::space::detail::plain_struct<S>>> {
  static constexpr auto apply() {
    return fmsb::space::detail::member_accessors<S>(
        std::make_index_sequence<fmsb::space::detail::count_members<S>()>{});
  }
};

}  // namespace boost::hana
