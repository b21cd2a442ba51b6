#pragma once
#include "fmsb/space/axis.hpp"   // axis, range_axis
#include "fmsb/space/point.hpp"  // point

namespace fmsb::space {

/// The orders of an autoregression that a search looks at: how many past values a forecast reads.
///
/// @tparam First  the least order, at least 1
/// @tparam Last   the greatest that may be reached
/// @tparam Step   between one order and the next
///
/// The axis is named "lookback". A range: 511 orders compile as quickly as 5.
template <int First, int Last, int Step = 1>
struct lookbacks : range_axis<"lookback", First, Last, Step> {
  static_assert(
      First >= 1,
      "fmsb::space::lookbacks: an autoregression reads at least one past value, so lookbacks start at 1 "
      "or above");
};

/// How often the series is differenced before it is fitted. The axis is named "differencing".
///
/// @tparam Times  each 0, 1 or 2
template <int... Times>
struct differencing : axis<"differencing", Times...> {
  static_assert(((Times >= 0 && Times <= 2) && ...),
                "fmsb::space::differencing: a series is differenced 0, 1 or 2 times");
};

/// How many past levels one forecast reads: the lookback plus one for each difference.
template <fixed_string... Names>
constexpr int inputs(const point<Names...>& of) {
  static_assert(point<Names...>::template has<"lookback">,
                "fmsb::space::inputs: only points with an axis named \"lookback\" read past values");
  int levels = get<"lookback">(of);
  if constexpr (point<Names...>::template has<"differencing">) levels += get<"differencing">(of);
  return levels;
}

/// Numbers that a fit of this point estimates: a coefficient a lag and the intercept.
template <fixed_string... Names>
constexpr int coefficients(const point<Names...>& of) {
  static_assert(point<Names...>::template has<"lookback">,
                "fmsb::space::coefficients: only points with an axis named \"lookback\" have autoregressive "
                "coefficients");
  return get<"lookback">(of) + 1;
}

}  // namespace fmsb::space

namespace fmsb::ar {

using space::differencing;
using space::lookbacks;

}  // namespace fmsb::ar
