#pragma once
#include "fmsb/core/constant_text.hpp"  // outlets
#include "fmsb/core/fingerprint.hpp"    // fingerprint
#include "fmsb/core/fixed_string.hpp"   // fixed_string

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_cvref_t

namespace fmsb::space {

/// One choice on every axis of a space.
///
/// @tparam Names  the axes, in the order in which the space lists them
///
/// Holds nothing but an array and is compared member by member, so a point, or an array of points, may
/// itself be a template argument: a found architecture becomes a type.
template <fixed_string... Names>
struct point {
  static constexpr std::size_t rank = sizeof...(Names);
  static constexpr std::array<std::string_view, rank> names{Names.view()...};

  std::array<int, rank> values{};

  /// The place of an axis among the names; `rank` if there is none.
  static constexpr std::size_t position(std::string_view name) {
    std::size_t i = 0;
    while (i < rank && names[i] != name) ++i;
    return i;
  }

  template <fixed_string Name>
  static constexpr std::size_t place = position(Name.view());
  template <fixed_string Name>
  static constexpr bool has = place<Name> < rank;

  /// The choice on the axis `Name`: `p.get<"kernel">()`.
  template <fixed_string Name>
  constexpr int get() const {
    static_assert(
        has<Name>,
        "fmsb::space::point: get<Name>() asks for an axis that this point does not have; its axes are "
        "the names in the type of the point");
    if constexpr (has<Name>)
      return values[place<Name>];
    else
      return 0;
  }

  /// "kernel=3,dilation=7", into any outlet of core/constant_text.hpp.
  template <class Outlet>
  constexpr void write_value(Outlet& out) const {
    for (std::size_t i = 0; i < rank; ++i) {
      if (i != 0) out.put(',');
      write(out, names[i]);
      out.put('=');
      write_integer(out, values[i]);
    }
  }

  friend constexpr bool operator==(const point&, const point&) = default;
};

/// The same as the member; reads better inside templates, where the member wants the word `template`.
template <fixed_string Name, fixed_string... Names>
constexpr int get(const point<Names...>& of) {
  return of.template get<Name>();
}

/// "kernel=3,dilation=7"
template <fixed_string... Names>
std::string to_string(const point<Names...>& of) {
  string_outlet out;
  of.write_value(out);
  return out.text;
}

/// The hash of a point's text, as a constant or at run time.
template <fixed_string... Names>
constexpr std::uint64_t hash_of(const point<Names...>& of) {
  hashing_outlet out;
  of.write_value(out);
  return out.hash;
}

/// A point as a constant: what a run-time index becomes when `visit` calls back.
template <auto Point>
struct constant {
  using value_type = std::remove_cvref_t<decltype(Point)>;
  static constexpr value_type value = Point;

  constexpr operator value_type() const { return value; }
  constexpr value_type operator()() const { return value; }

  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    value.write_value(out);
  }
};

/// The fingerprint of a point that is a constant.
template <auto Point>
inline constexpr fingerprint point_fingerprint = fingerprint_of<constant<Point>>;

namespace detail {

template <class... Points>
struct joined_points {
  using type = point<>;
};

template <fixed_string... Names>
struct joined_points<point<Names...>> {
  using type = point<Names...>;
};

template <fixed_string... A, fixed_string... B, class... Rest>
struct joined_points<point<A...>, point<B...>, Rest...> : joined_points<point<A..., B...>, Rest...> {};

template <class T>
inline constexpr bool is_point = false;
template <fixed_string... Names>
inline constexpr bool is_point<point<Names...>> = true;

}  // namespace detail

}  // namespace fmsb::space
