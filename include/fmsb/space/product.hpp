#pragma once
#include "fmsb/space/all_different.hpp"  // all_different
#include "fmsb/space/point.hpp"          // joined_points
#include "fmsb/space/space.hpp"          // search_space, space_members

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <limits>       // std::numeric_limits
#include <string_view>  // std::string_view

namespace fmsb::space {

namespace detail {

template <class... Spaces>
using joined_point = typename joined_points<typename Spaces::point_type...>::type;

template <class... Spaces>
constexpr bool product_size_fits() {
  std::size_t room = std::numeric_limits<std::size_t>::max();
  ((room /= Spaces::size), ...);
  return room > 0;
}

}  // namespace detail

/// Every combination of the points of several spaces.
///
/// @tparam Spaces  axes, usually; or any other spaces, whose axes are then joined. No axis name twice.
///
/// The last space counts fastest: with kernels {3, 5} and dilations {1, 3} the points are (3,1), (3,3),
/// (5,1), (5,3). Points are made by division, never stored.
template <search_space... Spaces>
struct product : detail::space_members<product<Spaces...>, detail::joined_point<Spaces...>> {
  static_assert(sizeof...(Spaces) > 0,
                "fmsb::space::product: a product needs at least one axis or other space");
  static_assert(detail::product_size_fits<Spaces...>(),
                "fmsb::space::product: the product has more points than a std::size_t can count");

  using point_type = detail::joined_point<Spaces...>;
  static_assert(
      detail::all_different(point_type::names),
      "fmsb::space::product: two of the spaces have an axis of the same name; every axis of a product "
      "needs its own name");

  static constexpr std::size_t size = (std::size_t{1} * ... * Spaces::size);

  static constexpr point_type make(std::size_t i) {
    point_type made;
    std::size_t stride = size;
    std::size_t place = 0;
    const auto put = [&]<class Space>() {
      stride /= Space::size;
      for (const int value : Space::make(i / stride % Space::size).values) made.values[place++] = value;
    };
    (put.template operator()<Spaces>(), ...);
    return made;
  }

  static constexpr std::size_t find(const point_type& p) {
    std::size_t found = 0;
    std::size_t place = 0;
    const auto look = [&]<class Space>() {
      typename Space::point_type part;
      for (int& value : part.values) value = p.values[place++];
      const std::size_t i = Space::find(part);
      found = found * Space::size + i;
      return i < Space::size;
    };
    return (look.template operator()<Spaces>() && ...) ? found : size;
  }

  /// "product(kernel{3,5},dilation{1,3})"
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, "product");
    char before = '(';
    const auto add = [&]<class Space>() {
      out.put(before);
      before = ',';
      Space::write_text(out);
    };
    (add.template operator()<Spaces>(), ...);
    out.put(')');
  }
};

}  // namespace fmsb::space
