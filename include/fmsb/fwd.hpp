#pragma once
#include "fmsb/core/extent.hpp"        // index_t, dynamic: too small to be declared apart
#include "fmsb/core/fixed_string.hpp"  // fixed_string, which names the axes

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t

// Declarations without definitions, and without LibTorch, for headers that only name these types. Default
// arguments stand with the definitions.

namespace fmsb {

struct error;
struct usage_error;
struct data_error;
struct fingerprint;
class random_bits;

}  // namespace fmsb

namespace fmsb::space {

template <fixed_string... Names>
struct point;
template <auto Point>
struct constant;

template <fixed_string Name, int... Values>
struct axis;
template <fixed_string Name, int First, int Last, int Step>
struct range_axis;
template <int... Sizes>
struct kernel_sizes;
template <int... Rates>
struct dilations;
template <int First, int Last, int Step>
struct lookbacks;
template <int... Times>
struct differencing;

template <double Low, double High>
class uniform;
template <double Low, double High>
class log_uniform;
template <double Mean, double Deviation>
class normal;
template <std::int64_t First, std::int64_t Last, std::int64_t Step>
class uniform_integer;
template <std::int64_t First, std::int64_t Last>
class log_uniform_integer;

}  // namespace fmsb::space
