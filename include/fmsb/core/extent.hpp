#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <cstdint>  // std::int64_t
#include <string>   // std::string, std::to_string

namespace fmsb {

/// A size or position along one dimension of an array.
using index_t = std::int64_t;

/// The extent that is known only at run time: `linear<dynamic, 10>` learns its inputs when it is built.
inline constexpr index_t dynamic = -1;

/// An extent that is a constant where the type says so and a number where the type says `dynamic`; in
/// the first case it takes no room. Reads as a plain `index_t` either way.
///
/// @tparam Value  a size from 0 on, or `dynamic`
template <index_t Value>
class extent {
  static_assert(Value >= 0 || Value == dynamic,
                "fmsb::extent: an extent is a size from 0 on, or fmsb::dynamic where only the run knows it");

 public:
  static constexpr bool is_dynamic = false;

  constexpr extent() = default;
  /// @throws usage_error  if the run-time size is not the one in the type
  constexpr extent(index_t given) {
    if (given != Value)
      throw usage_error("An extent is " + std::to_string(Value) + " by its type, but " +
                        std::to_string(given) +
                        " was given at run time. Give the same size, or declare the extent fmsb::dynamic.");
  }
  constexpr operator index_t() const { return Value; }
};

template <>
class extent<dynamic> {
 public:
  static constexpr bool is_dynamic = true;

  /// @throws usage_error  if the size is negative
  constexpr extent(index_t given) : value_(given) {
    if (given < 0)
      throw usage_error("A dynamic extent was given the size " + std::to_string(given) +
                        ". Sizes count from 0.");
  }
  constexpr operator index_t() const { return value_; }

 private:
  index_t value_;
};

/// The extent of a layer that the type fixes, the caller gives, or both alike.
///
/// @param owner, name  for the error: "nn::linear", "in"
/// @throws usage_error where neither says it, they differ, or the size is negative
template <index_t Value>
extent<Value> chosen_extent(const char* owner, const char* name, index_t given) {
  if (given == dynamic && Value == dynamic)
    throw usage_error(std::string("fmsb::") + owner + ": nothing says how large \"" + name +
                      "\" is. Fix it in the type, or give it to the constructor.");
  if (given != dynamic && (given < 0 || (Value != dynamic && Value != given)))
    throw usage_error(std::string("fmsb::") + owner + ": \"" + name + "\" was given as " +
                      std::to_string(given) + ", but " +
                      (Value == dynamic
                           ? "a size counts from 0. Give a size."
                           : "the type fixes " + std::to_string(Value) +
                                 ". Use a type of that size, or fmsb::dynamic, which takes any."));
  return given == dynamic ? Value : given;
}

}  // namespace fmsb
