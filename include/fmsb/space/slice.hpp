#pragma once
#include "fmsb/space/space.hpp"  // search_space, space_members

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

namespace fmsb::space {

/// The points of a space whose indices run from First up to, but not including, Last.
///
/// A slice is how a large space is shared among workers, or a filtered one cut short.
template <search_space Space, std::size_t First, std::size_t Last>
struct slice : detail::space_members<slice<Space, First, Last>, typename Space::point_type> {
  static_assert(First < Last, "fmsb::space::slice: the slice is empty, and a space needs at least one point");
  static_assert(Last <= Space::size, "fmsb::space::slice: the slice ends past the last point of the space");

  using point_type = typename Space::point_type;
  static constexpr std::size_t size = First < Last ? Last - First : 1;

  static constexpr point_type make(std::size_t i) { return Space::make(First + i); }

  static constexpr std::size_t find(const point_type& p) {
    const std::size_t i = Space::find(p);
    return i >= First && i < Last ? i - First : size;
  }

  /// "slice(kernel{3,5,7},1,3)"
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, "slice(");
    Space::write_text(out);
    out.put(',');
    write(out, std::uint64_t{First});
    out.put(',');
    write(out, std::uint64_t{Last});
    out.put(')');
  }
};

}  // namespace fmsb::space
