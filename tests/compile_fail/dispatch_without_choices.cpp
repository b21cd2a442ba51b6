// expected-error: "there must be at least one choice to jump to"
#include "fmsb/core/dispatch.hpp"

#ifdef FAILS
constexpr std::size_t choices = 0;
#else
constexpr std::size_t choices = 1;
#endif
std::size_t of(std::size_t index) {
  return fmsb::dispatch<choices>(index, [](auto i) { return i(); });
}
