#pragma once
#include "fmsb/core/fixed_string.hpp"  // fixed_string

#include <cstddef>  // std::size_t

namespace fmsb::models::detail {

/// "block" and 12 make "block12".
template <fixed_string Stem, std::size_t Number>
consteval auto numbered() {
  constexpr std::size_t digits = Number < 10 ? 1 : Number < 100 ? 2 : 3;
  static_assert(Number < 1000);
  fixed_string<Stem.size() + digits> name;
  for (std::size_t i = 0; i < Stem.size(); ++i) name.text[i] = Stem.text[i];
  std::size_t rest = Number;
  for (std::size_t i = digits; i-- > 0; rest /= 10)
    name.text[Stem.size() + i] = static_cast<char>('0' + rest % 10);
  return name;
}

}  // namespace fmsb::models::detail
