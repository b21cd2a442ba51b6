#pragma once
#include "fmsb/core/fixed_string.hpp"    // fixed_string
#include "fmsb/space/all_different.hpp"  // all_different
#include "fmsb/space/point.hpp"          // point
#include "fmsb/space/space.hpp"          // space_members

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t

namespace fmsb::space {

/// A named, finite list of values: one dimension of a search space, and the least of all spaces.
///
/// @tparam Name    what a point answers to: `p.get<"kernel">()`
/// @tparam Values  the choices, in the order in which a point's index counts them; no value twice
///
/// For values that run evenly from one to another take `range_axis`, whose cost does not grow with them.
template <fixed_string Name, int... Values>
struct axis : detail::space_members<axis<Name, Values...>, point<Name>> {
  static_assert(Name.size() > 0, "fmsb::space::axis: an axis needs a name by which points are asked");
  static_assert(sizeof...(Values) > 0, "fmsb::space::axis: an axis needs at least one value");
  static_assert(
      detail::all_different(std::array<int, sizeof...(Values)>{Values...}),
      "fmsb::space::axis: the same value stands on the axis twice; every value needs its own index");

  using point_type = point<Name>;
  static constexpr auto name = Name;
  static constexpr std::array<int, sizeof...(Values)> values{Values...};
  static constexpr std::size_t size = values.size();

  static constexpr point_type make(std::size_t i) { return {{values[i]}}; }

  static constexpr std::size_t find(const point_type& p) {
    std::size_t i = 0;
    while (i < size && values[i] != p.values[0]) ++i;
    return i;
  }

  /// "kernel{3,5,7}"
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, Name.view());
    for (std::size_t i = 0; i < size; ++i) {
      out.put(i == 0 ? '{' : ',');
      write_integer(out, values[i]);
    }
    out.put('}');
  }
};

/// The values First, First + Step, ... that do not pass Last, as one dimension of a search space.
///
/// Nothing is expanded: an axis of 511 lookbacks costs as much to compile as one of 5.
template <fixed_string Name, int First, int Last, int Step = 1>
struct range_axis : detail::space_members<range_axis<Name, First, Last, Step>, point<Name>> {
  static_assert(Name.size() > 0, "fmsb::space::range_axis: an axis needs a name by which points are asked");
  static_assert(Step > 0, "fmsb::space::range_axis: the step must be at least 1");
  static_assert(First <= Last,
                "fmsb::space::range_axis: the range is empty, for its first value is above its last");

  using point_type = point<Name>;
  static constexpr auto name = Name;
  static constexpr int first = First;
  static constexpr int step = Step > 0 ? Step : 1;
  static constexpr std::size_t size = First > Last
                                          ? 1
                                          : static_cast<std::size_t>((std::int64_t{Last} - First) / step) + 1;
  static constexpr int last = static_cast<int>(First + static_cast<std::int64_t>(size - 1) * step);

  static constexpr point_type make(std::size_t i) {
    return {{static_cast<int>(First + static_cast<std::int64_t>(i) * step)}};
  }

  static constexpr std::size_t find(const point_type& p) {
    const std::int64_t above = std::int64_t{p.values[0]} - First;
    return above < 0 || p.values[0] > last || above % step != 0 ? size
                                                                : static_cast<std::size_t>(above / step);
  }

  /// "lookback{1..511}", "lookback{8..64 by 8}"
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    write(out, Name.view());
    out.put('{');
    write_integer(out, first);
    write(out, "..");
    write_integer(out, last);
    if (step != 1) {
      write(out, " by ");
      write_integer(out, step);
    }
    out.put('}');
  }
};

}  // namespace fmsb::space
