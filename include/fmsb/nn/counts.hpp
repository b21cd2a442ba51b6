#pragma once
#include "fmsb/core/extent.hpp"  // index_t, dynamic

/// What a layer costs, read off its type. A number that depends on a dynamic extent is `dynamic`.
namespace fmsb::nn {

/// A sum in which one dynamic number makes all of it dynamic.
constexpr index_t sum_of(auto... counts) {
  index_t sum = 0;
  for (const index_t count : {index_t{0}, index_t{counts}...}) {
    if (count == dynamic) return dynamic;
    sum += count;
  }
  return sum;
}

/// A product likewise.
constexpr index_t product_of(auto... counts) {
  index_t product = 1;
  for (const index_t count : {index_t{1}, index_t{counts}...}) {
    if (count == dynamic) return dynamic;
    product *= count;
  }
  return product;
}

constexpr index_t quotient_of(index_t a, index_t b) { return a == dynamic || b == dynamic ? dynamic : a / b; }

/// Numbers that a layer registers as parameters, trained or frozen: `T::parameter_count`, else `dynamic`.
template <class T>
inline constexpr index_t parameters = [] {
  if constexpr (requires { T::parameter_count; })
    return index_t{T::parameter_count};
  else
    return dynamic;
}();

/// Those of them that an optimiser may change: `T::trainable_parameter_count`; all where a layer says
/// nothing.
template <class T>
inline constexpr index_t trainable_parameters = [] {
  if constexpr (requires { T::trainable_parameter_count; })
    return index_t{T::trainable_parameter_count};
  else
    return parameters<T>;
}();

/// Multiplications with an addition for one token (a row of the input, a pixel of the output) of a forward
/// pass: `T::multiply_adds`, else `dynamic`.
template <class T>
inline constexpr index_t multiply_adds = [] {
  if constexpr (requires { T::multiply_adds; })
    return index_t{T::multiply_adds};
  else
    return dynamic;
}();

/// Positions of the input, along one axis, that one position of the output sees: `T::receptive_field`; 1 for
/// a layer that maps every position by itself; `dynamic` where a layer says nothing.
template <class T>
inline constexpr index_t receptive_field = [] {
  if constexpr (requires { T::receptive_field; })
    return index_t{T::receptive_field};
  else
    return dynamic;
}();

/// Positions of the input between two neighbouring positions of the output: `T::stride`; 1 where a layer
/// says nothing.
template <class T>
inline constexpr index_t stride = [] {
  if constexpr (requires { T::stride; })
    return index_t{T::stride};
  else
    return index_t{1};
}();

}  // namespace fmsb::nn
