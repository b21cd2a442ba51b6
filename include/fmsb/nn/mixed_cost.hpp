#pragma once
#include "fmsb/core/extent.hpp"                    // index_t
#include "fmsb/nn/kernels/depthwise_spectrum.hpp"  // spectrum_units
#include "fmsb/nn/kernels/lane_fft.hpp"            // fft_length
#include "fmsb/space/mixed_taps.hpp"               // mixed_taps

#include <algorithm>  // std::max
#include <array>      // std::array
#include <bit>        // std::bit_width
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <limits>     // std::numeric_limits

/// What a mixed convolution costs by each of its methods, without computing it. Without LibTorch.
namespace fmsb::nn {

/// How a mixed convolution is computed. All are exact; they differ in time and memory.
enum class mixed_method {
  automatic,  ///< the one that `cheapest` names, of those that can take the input
  direct,     ///< tap by tap, by the library's kernels: depthwise over one axis on the CPU
  spectrum,   ///< by the library's Fourier transforms, on the CPU
  transform,  ///< by LibTorch's Fourier transforms
  kernel      ///< by LibTorch's convolution with a kernel that covers all taps
};

inline constexpr std::array mixed_methods{mixed_method::direct, mixed_method::spectrum,
                                          mixed_method::transform, mixed_method::kernel};

constexpr const char* name_of(mixed_method m) {
  constexpr std::array names{"automatic", "direct", "spectrum", "transform", "kernel"};
  return names[static_cast<std::size_t>(m)];
}

/// For `mixed_conv_options::groups` and `mixed_shape::groups`: every channel alone, with as many outputs as
/// inputs.
inline constexpr index_t depthwise = 0;

/// All that the cost of a mixed convolution depends on.
struct mixed_shape {
  index_t batch = 1, in = 1, out = 1;
  index_t groups = 1;                      ///< or `depthwise`
  std::array<index_t, 2> positions{1, 1};  ///< rows, 1 for a series; length of a row
  int axes = 1;
  index_t taps = 1;   ///< of the whole mixture
  index_t reach = 0;  ///< of the farthest tap, along an axis
};

/// The shape with the taps of a space.
template <space::search_space Space>
constexpr mixed_shape with_taps_of(mixed_shape shape) {
  const auto take = [&]<int Axes>(space::mixed_taps<Space, Axes>) {
    shape.taps = static_cast<index_t>(space::mixed_taps<Space, Axes>::count);
    shape.reach = space::mixed_taps<Space, Axes>::reach;
  };
  if (shape.axes == 1)
    take(space::mixed_taps<Space, 1>());
  else
    take(space::mixed_taps<Space, 2>());
  return shape;
}

namespace detail {

constexpr double log2_of(double n) {  // within 0.09: costs are not known better
  const auto whole = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))) - 1;
  return whole + n / static_cast<double>(std::uint64_t{1} << whole) - 1;
}

/// Numbers of a transform that holds a signal and the zeros beside it.
constexpr double transform_places(const mixed_shape& s) {
  double places = 1;
  for (auto axis = static_cast<std::size_t>(2 - s.axes); axis < 2; ++axis)
    places *= static_cast<double>(fft_length(static_cast<std::size_t>(s.positions[axis] + s.reach)));
  return places;
}

}  // namespace detail

/// What the time of a method is made of, forward and backward: calls, numbers moved or transformed, products.
/// The time is the sum of these times `rates_of`.
using cost_terms = std::array<double, 4>;

constexpr cost_terms terms_of(mixed_method method, const mixed_shape& s) {
  constexpr std::size_t kLanes = 16;
  const bool alone = s.groups == depthwise;
  const auto number = [](auto count) { return static_cast<double>(count); };
  const auto up = [&](auto count, std::size_t to) {
    return number((static_cast<std::size_t>(count) + to - 1) / to * to);
  };
  const double batch = number(s.batch), in = number(s.in), out = number(s.out),
               groups = alone ? in : number(s.groups), positions = number(s.positions[0] * s.positions[1]),
               taps = number(s.taps);
  const double matrices = in * out / groups;
  switch (method) {
    case mixed_method::direct: {
      const double rows = up(s.batch * s.in, kLanes);
      return {1, rows * positions, rows * positions * taps, rows * number(2 * s.reach)};
    }
    case mixed_method::spectrum: {
      const double places = detail::transform_places(s), steps = places * detail::log2_of(places);
      if (alone) {
        const auto units =
            spectrum_units(static_cast<std::size_t>(s.batch), static_cast<std::size_t>(s.in), kLanes);
        const double each = up(up(units.vectors(), units.count()) / number(units.count()), 2);  // two are one
        return {1, number(units.count()) * each * kLanes * places,
                number(units.count()) * each * kLanes * steps, number(units.count()) * kLanes * steps};
      }
      const double columns = up(s.out / s.groups, kLanes) * groups, pairs = up(s.batch, 2);
      return {groups, pairs * (up(s.in, kLanes) + columns) * steps, pairs * in * columns / groups * places,
              in * columns / groups * steps};
    }
    case mixed_method::transform: {
      const double places = detail::transform_places(s), steps = places * detail::log2_of(places);
      return {1, batch * (in + out) * steps, batch * matrices * places, matrices * steps};
    }
    default: {
      const double field = number(2 * s.reach + 1), covered = s.axes == 1 ? field : field * field;
      return {1, batch * (in + out) * positions, batch * matrices * positions * covered, matrices * covered};
    }
  }
}

/// Nanoseconds that one of each term takes, in float on one core: fitted by `bench/ops/fit_mixed_cost` to
/// what `bench_mixed_conv_sweep` measured, on spaces of 35 to 313 taps. Only their ratios matter for a
/// choice.
constexpr cost_terms rates_of(mixed_method method, const mixed_shape& s) {
  const bool alone = s.groups == depthwise, rows = s.axes == 1;
  const auto one_of = [&](cost_terms alone_rows, cost_terms alone_images, cost_terms dense_rows,
                          cost_terms dense_images) {
    return alone ? (rows ? alone_rows : alone_images) : (rows ? dense_rows : dense_images);
  };
  switch (method) {
    case mixed_method::direct:
      return {4.82e+04, 0.751, 0.122, 1.92};
    case mixed_method::spectrum:
      return one_of({4.71e+04, 2.3, 0.392, 0}, {0, 0, 0.329, 0.423}, {8.72e+04, 0.048, 0.433, 0.339},
                    {0, 0.0357, 0.394, 0.36});
    case mixed_method::transform:
      return one_of({4.75e+05, 0.682, 5.25, 0.264}, {5.84e+05, 0, 24.7, 0.813}, {7.05e+05, 2.2, 0.178, 2.45},
                    {9.67e+04, 2.58, 0.198, 2.61});
    default:
      // Rows and images fitted as one: on images every space of the sweep has the same field.
      return alone ? cost_terms{5.5e+05, 10.9, 2.06, 0} : cost_terms{1.87e+05, 92.3, 0.191, 7.06};
  }
}

/// Whether the method can compute the shape, floats on the CPU.
constexpr bool can_take(mixed_method method, const mixed_shape& s) {
  return method != mixed_method::direct || (s.axes == 1 && s.groups == depthwise);
}

/// The time of a forward and a backward pass by a method, as it is expected: floats, one core.
constexpr double expected_milliseconds(mixed_method method, const mixed_shape& s) {
  const auto terms = terms_of(method, s), rates = rates_of(method, s);
  double sum = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) sum += terms[i] * rates[i];
  return sum / 1e6;
}

/// The method whose expected time is the least.
constexpr mixed_method cheapest(const mixed_shape& s) {
  auto best = mixed_method::spectrum;
  double least = std::numeric_limits<double>::infinity();
  for (const auto method : mixed_methods) {
    const double time = can_take(method, s) ? expected_milliseconds(method, s) : least;
    if (time < least) {
      least = time;
      best = method;
    }
  }
  return best;
}

}  // namespace fmsb::nn
