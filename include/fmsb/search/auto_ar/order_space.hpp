#pragma once
#include "fmsb/core/error.hpp"      // usage_error
#include "fmsb/space/ar_space.hpp"  // lookbacks, differencing

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::ar {

/// The candidates of an order search at run time.
struct order_space {
  std::vector<std::size_t> orders;  ///< ascending, at least 1
  std::vector<int> differencing;    ///< each 0, 1 or 2

  /// From the compile-time description, as `order_space::of<lookbacks<1, 511>, differencing<0, 1>>()`.
  template <class Lookbacks, class Differencing>
  static order_space of() {
    order_space space;
    for (std::size_t i = 0; i < Lookbacks::size; ++i)
      space.orders.push_back(static_cast<std::size_t>(Lookbacks::at(i).template get<"lookback">()));
    for (std::size_t i = 0; i < Differencing::size; ++i)
      space.differencing.push_back(Differencing::at(i).template get<"differencing">());
    return space;
  }

  /// first, first + step, .. up to last.
  static order_space range(std::size_t first, std::size_t last, std::vector<int> differencing,
                           std::size_t step = 1) {
    order_space space{.orders = {}, .differencing = std::move(differencing)};
    for (std::size_t p = first; p <= last; p += step) space.orders.push_back(p);
    return space;
  }

  /// The orders that stay at or below `most`.
  /// @throws usage_error when none does
  std::vector<std::size_t> up_to(std::size_t most) const {
    std::vector<std::size_t> kept;
    for (const auto p : orders)
      if (p <= most) kept.push_back(p);
    if (kept.empty())
      throw usage_error("Auto-AR: no candidate order is left at or below " + std::to_string(most) +
                        ", which is what the context and the number of rows allow; lower --orders.");
    return kept;
  }
};

}  // namespace fmsb::ar
