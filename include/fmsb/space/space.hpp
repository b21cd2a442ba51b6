#pragma once
#include "fmsb/core/dispatch.hpp"  // dispatch
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/space/point.hpp"    // point, constant

#include <ranges>  // std::views::iota, std::views::transform

#include <concepts>  // std::convertible_to, std::same_as
#include <cstddef>   // std::size_t
#include <string>    // std::to_string
#include <utility>   // std::forward, std::index_sequence

namespace fmsb::space {

/// A finite list of points, all of it known at compile time.
///
/// A space has no state. `size` counts its points, `at(i)` makes the i-th, `index(p)` is its inverse,
/// `contains(p)` asks, `points()` walks. Axes, products, filters, slices and unions are spaces.
template <class T>
concept search_space = requires(const typename T::point_type& p, std::size_t i, counting_outlet& out) {
  { T::size } -> std::convertible_to<std::size_t>;
  { T::at(i) } -> std::same_as<typename T::point_type>;
  { T::find(p) } -> std::same_as<std::size_t>;
  T::write_text(out);
};

namespace detail {

// Functions of these two names are not constexpr on purpose: in a constant expression the compiler's
// message quotes the name, which says what went wrong; at run time the caller gets the sentence.

[[noreturn]] inline void index_is_past_the_last_point_of_the_space(std::size_t index, std::size_t size) {
  throw usage_error("The index " + std::to_string(index) + " names no point: the space has " +
                    std::to_string(size) + " points. Give an index from 0 to " + std::to_string(size - 1) +
                    ".");
}

template <class Point>
[[noreturn]] void point_is_not_in_the_space(const Point& given, std::size_t size) {
  throw usage_error("The point (" + to_string(given) + ") is not among the " + std::to_string(size) +
                    " points of the space. Ask contains() first, or walk points() to see them.");
}

/// The members that every space has alike. A space supplies `size`, `make(i)` for an
/// index in range, and `find(p)`, the index of a point or `size` if it is not there.
template <class Self, class Point>
struct space_members {
  /// The point of an index.
  /// @throws usage_error  if `i` is not below `size`
  static constexpr Point at(std::size_t i) {
    if (i >= Self::size) index_is_past_the_last_point_of_the_space(i, Self::size);
    return Self::make(i);
  }

  /// The index of a point: `index(at(i)) == i`.
  /// @throws usage_error  if the point is not in the space
  template <class Given = Point>
  static constexpr std::size_t index(const Given& p) {
    check_axes<Given>();
    const std::size_t i = Self::find(p);
    if (i == Self::size) point_is_not_in_the_space(p, Self::size);
    return i;
  }

  template <class Given = Point>
  static constexpr bool contains(const Given& p) {
    check_axes<Given>();
    return Self::find(p) < Self::size;
  }

  /// All points in the order of their indices: a random-access view that makes each when it is read.
  static constexpr auto points() {
    return std::views::iota(std::size_t{0}, std::size_t{Self::size}) |
           std::views::transform([](std::size_t i) { return Self::make(i); });
  }

 private:
  template <class Given>
  static constexpr void check_axes() {
    static_assert(
        std::same_as<Given, Point>,
        "fmsb::space: this point has other axes than the space that is asked about it; the names and "
        "their order must agree");
  }
};

}  // namespace detail

/// From a run-time index to a compile-time point: calls `function(constant<point>)`.
///
///     visit<conv>(found.index, []<auto Point>(constant<Point>) { return run<Point>(); });
///
/// @return what the function returns, one type for all points
/// @throws usage_error  if `index` is not below the size of the space
///
/// Constant time, by a jump table (core/dispatch.hpp); one instantiation of the function a point.
template <search_space Space, class Function>
constexpr decltype(auto) visit(std::size_t index, Function&& function) {
  return dispatch<Space::size>(
      index, [&function]<std::size_t I>(std::integral_constant<std::size_t, I>) -> decltype(auto) {
        return function(constant<Space::make(I)>{});
      });
}

/// Calls `function(constant<point>)` for every point, in the order of the indices.
template <search_space Space, class Function>
constexpr void for_each_point(Function&& function) {
  // a list, not a fold expression: clang folds no more than 256 operands
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const bool called[] = {(static_cast<void>(function(constant<Space::make(I)>{})), true)...};
    static_cast<void>(called);
  }
  (std::make_index_sequence<Space::size>{});
}

}  // namespace fmsb::space
