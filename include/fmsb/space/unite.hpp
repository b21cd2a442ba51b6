#pragma once
#include "fmsb/space/filter.hpp"  // accepted_indices
#include "fmsb/space/space.hpp"   // search_space, space_members

#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t

namespace fmsb::space {

namespace detail {

template <class Space>
struct is_not_in {
  constexpr bool operator()(const typename Space::point_type& p) const {
    return Space::find(p) == Space::size;
  }
};

}  // namespace detail

/// The union of spaces over the same axes: the points of the first, then what each further one adds.
/// A point that several hold has one index, the first.
template <search_space First, search_space... Rest>
struct unite;

template <search_space First>
struct unite<First> : First {};

template <search_space First, search_space Second>
struct unite<First, Second> : detail::space_members<unite<First, Second>, typename First::point_type> {
  static constexpr bool same_axes = std::same_as<typename First::point_type, typename Second::point_type>;
  static_assert(same_axes,
                "fmsb::space::unite: the spaces have different axes; the names and their order must agree");

  using point_type = typename First::point_type;

 private:
  static constexpr const auto& added() {
    if constexpr (same_axes)
      return detail::kept_indices<Second, detail::is_not_in<First>{}>;
    else
      return First::size;
  }
  static constexpr std::size_t added_size() {
    if constexpr (same_axes)
      return added().size();
    else
      return 0;
  }

 public:
  static constexpr std::size_t size = First::size + added_size();

  static constexpr point_type make(std::size_t i) {
    return i < First::size ? First::make(i) : Second::make(added()[i - First::size]);
  }

  static constexpr std::size_t find(const point_type& p) {
    if (const std::size_t i = First::find(p); i < First::size) return i;
    const std::size_t old = Second::find(p);
    const auto place = std::lower_bound(added().begin(), added().end(), old);
    return place != added().end() && *place == old
               ? First::size + static_cast<std::size_t>(place - added().begin())
               : size;
  }

  /// "unite(A,B)"
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, "unite(");
    First::write_text(out);
    out.put(',');
    Second::write_text(out);
    out.put(')');
  }
};

template <search_space First, search_space Second, search_space Third, search_space... Rest>
struct unite<First, Second, Third, Rest...> : unite<unite<First, Second>, Third, Rest...> {};

}  // namespace fmsb::space
