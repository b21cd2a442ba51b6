#pragma once
#include "fmsb/core/fingerprint.hpp"     // hash_of
#include "fmsb/core/random_bits.hpp"     // random_bits, unit_interval
#include "fmsb/space/distributions.hpp"  // distribution
#include "fmsb/space/members.hpp"        // plain structs as Hana structs

#include <boost/hana/accessors.hpp>       // hana::accessors
#include <boost/hana/concept/struct.hpp>  // hana::Struct
#include <boost/hana/core/to.hpp>         // hana::to
#include <boost/hana/for_each.hpp>        // hana::for_each
#include <boost/hana/unpack.hpp>          // hana::unpack

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::declval

namespace fmsb::space {

namespace detail {

template <class S>
constexpr bool every_member_is_a_distribution() {
  if constexpr (boost::hana::Struct<S>::value)
    return decltype(boost::hana::unpack(boost::hana::accessors<S>(), [](auto... member) {
      return std::bool_constant<(
          distribution<std::remove_cvref_t<decltype(boost::hana::second(member)(std::declval<S&>()))>> &&
          ...)>{};
    }))::value;
  else
    return false;
}

}  // namespace detail

/// A struct of hyper-parameters: nothing but members that are distributions.
///
///     struct sgd {
///       log_uniform<1e-5, 0.5> lr;
///       choice<0.0, 0.05, 0.1> dropout;
///     };
///
/// As a type it says what may be drawn; as an object it is the struct of the values: `s.lr` reads as a
/// `double`, and `s.lr = 0.1` sets it, checked. Names and members come from the declaration itself (up to 16
/// members); a longer or an older struct joins by BOOST_HANA_ADAPT_STRUCT.
template <class S>
concept hyper_parameters = detail::every_member_is_a_distribution<S>();

/// Calls `function(name, member)` for each member, in the order of the declaration.
template <class S, class Function>
requires hyper_parameters<std::remove_const_t<S>>
constexpr void for_each_member(S& of, Function&& function) {
  boost::hana::for_each(boost::hana::accessors<std::remove_const_t<S>>(), [&](const auto& member) {
    function(std::string_view(boost::hana::to<const char*>(boost::hana::first(member))),
             boost::hana::second(member)(of));
  });
}

/// How many members a struct has.
template <hyper_parameters S>
inline constexpr std::size_t member_count = decltype(boost::hana::length(boost::hana::accessors<S>()))::value;

namespace detail {

template <class S>
constexpr void require_hyper_parameters() {
  static_assert(
      hyper_parameters<S>,
      "fmsb::space: a struct of hyper-parameters has members and all of them are distributions, such as "
      "fmsb::space::uniform or fmsb::space::choice; this struct has another member, a base or none");
}

}  // namespace detail

/// The values at given quantiles, one for each member, each strictly between 0 and 1: the way in for grids,
/// Latin hypercubes and low-discrepancy points.
template <hyper_parameters S>
constexpr S at_quantiles(const std::array<double, member_count<S>>& quantiles) {
  S drawn{};
  std::size_t i = 0;
  for_each_member(drawn, [&](std::string_view, auto& member) { member = member.quantile(quantiles[i++]); });
  return drawn;
}

/// Draws every member, in the order of the declaration, one 64-bit number each.
///
/// @param bits  `fmsb::random_bits`, `std::mt19937_64`, or another generator of 64 bits at a time
///
/// The same generator gives the same values under every compiler and standard library: none of the
/// distributions of `<random>`, whose algorithms the standard leaves open, takes part.
template <class S, class Generator>
constexpr S sample(Generator& bits) {
  detail::require_hyper_parameters<S>();
  S drawn{};
  if constexpr (hyper_parameters<S>)
    for_each_member(drawn,
                    [&](std::string_view, auto& member) { member = member.quantile(unit_interval(bits)); });
  return drawn;
}

/// The values of one trial of a study; independent of how many other trials were drawn, and in which order.
template <class S>
constexpr S sample(std::uint64_t seed, std::uint64_t trial) {
  random_bits bits(seed, trial);
  return sample<S>(bits);
}

/// "{lr = 0.1, dropout = 0.05}"
template <hyper_parameters S>
std::string to_string(const S& of) {
  std::string text;
  for_each_member(of, [&](std::string_view name, const auto& member) {
    text += (text.empty() ? "{" : ", ") + std::string(name) + " = " + detail::value_text(member.value());
  });
  return text + "}";
}

/// "{lr: log_uniform(1e-05, 0.5), dropout: choice(0, 0.05, 0.1)}"
template <hyper_parameters S>
std::string description() {
  std::string text;
  for_each_member(detail::specimen<S>, [&](std::string_view name, const auto& member) {
    text += (text.empty() ? "{" : ", ") + std::string(name) + ": " + member.description();
  });
  return text + "}";
}

/// The hash of the description: what a store of trials must have been written for.
template <hyper_parameters S>
std::uint64_t description_hash() {
  return hash_of(description<S>());
}

/// Two structs of values are equal when every member is.
template <hyper_parameters S>
constexpr bool same_values(const S& a, const S& b) {
  bool same = true;
  boost::hana::for_each(boost::hana::accessors<S>(), [&](const auto& member) {
    const auto get = boost::hana::second(member);
    same = same && get(a).value() == get(b).value();
  });
  return same;
}

}  // namespace fmsb::space
