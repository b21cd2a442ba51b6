#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <string>       // std::to_string
#include <type_traits>  // std::integral_constant, std::is_same_v
#include <utility>      // std::declval, std::index_sequence

namespace fmsb {

namespace detail {

template <class Function, std::size_t Index>
using dispatched = decltype(std::declval<Function&>()(std::integral_constant<std::size_t, Index>{}));

template <class Function, class Result, std::size_t Index>
constexpr Result call_with_index(Function& function) {
  static_assert(std::is_same_v<dispatched<Function, Index>, Result>,
                "fmsb::dispatch: the function returns different types for different indices; return one type "
                "for all, for example a common base, a std::variant or nothing");
  return function(std::integral_constant<std::size_t, Index>{});
}

template <class Function, class Result, class Indices>
inline constexpr int jump_table = 0;

template <class Function, class Result, std::size_t... Index>
inline constexpr std::array<Result (*)(Function&), sizeof...(Index)>
    jump_table<Function, Result, std::index_sequence<Index...>>{&call_with_index<Function, Result, Index>...};

[[noreturn]] inline void dispatch_index_is_past_the_last_choice(std::size_t index, std::size_t choices) {
  throw usage_error("The index " + std::to_string(index) + " names none of the " + std::to_string(choices) +
                    " choices. Give an index from 0 to " + std::to_string(choices - 1) + ".");
}

}  // namespace detail

/// From a run-time index to a compile-time one: calls `function(std::integral_constant<size_t, index>)`.
///
/// @tparam Choices  how many indices there are; the function is instantiated once for each
/// @return what the function returns, which must be one type for all indices
/// @throws usage_error  if `index` is not below `Choices`
///
/// One load from a table of function pointers and one indirect call, whatever the index. Compiling
/// costs one instantiation of the function an index.
template <std::size_t Choices, class Function>
constexpr decltype(auto) dispatch(std::size_t index, Function&& function) {
  static_assert(Choices > 0, "fmsb::dispatch: there must be at least one choice to jump to");
  if (index >= Choices) detail::dispatch_index_is_past_the_last_choice(index, Choices);
  using called = std::remove_reference_t<Function>;
  using result = detail::dispatched<called, 0>;
  return detail::jump_table<called, result, std::make_index_sequence<Choices>>[index](function);
}

}  // namespace fmsb
