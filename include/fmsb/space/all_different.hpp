#pragma once
#include <array>    // std::array
#include <cstddef>  // std::size_t

namespace fmsb::space::detail {

/// Whether no value stands in a list twice: the condition on names, axes and choices.
template <class Value, std::size_t Count>
constexpr bool all_different(const std::array<Value, Count>& values) {
  for (std::size_t i = 0; i < Count; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (values[i] == values[j]) return false;
  return true;
}

}  // namespace fmsb::space::detail
