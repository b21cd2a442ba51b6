#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <ranges>  // std::ranges::contiguous_range

#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <limits>       // std::numeric_limits
#include <span>         // std::span
#include <string>       // std::to_string
#include <type_traits>  // std::remove_cv_t

namespace fmsb::metrics {

/// Floats or doubles that stand side by side in memory: a vector, an array, a span. A gap is a NaN.
template <class Range>
concept numbers = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    (std::same_as<std::ranges::range_value_t<Range>, double> ||
     std::same_as<std::ranges::range_value_t<Range>, float>);

namespace detail {

inline constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

/// A view that no function has to be a template over ranges for.
template <numbers Range>
auto view_of(const Range& values) {
  return std::span<const std::ranges::range_value_t<Range>>(std::ranges::data(values),
                                                            std::ranges::size(values));
}

/// @throws usage_error unless `given` is `wanted`
inline void require_size(const char* where, const char* what, std::size_t given, std::size_t wanted) {
  if (given != wanted)
    throw usage_error(std::string(where) + ": " + std::to_string(given) + " " + what + " were given where " +
                      std::to_string(wanted) + " belong.");
}

}  // namespace detail

}  // namespace fmsb::metrics
