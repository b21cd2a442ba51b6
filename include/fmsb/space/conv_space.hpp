#pragma once
#include "fmsb/space/axis.hpp"   // axis
#include "fmsb/space/point.hpp"  // point
#include "fmsb/space/space.hpp"  // search_space

#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t

namespace fmsb::space {

/// The sizes of a convolution's kernel, in taps: odd, so that the kernel has a centre. The axis is named
/// "kernel". Source: the search dimensions of DASH (Shen et al., NeurIPS 2022, section 3).
template <int... Sizes>
struct kernel_sizes : axis<"kernel", Sizes...> {
  static_assert(
      ((Sizes > 0 && Sizes % 2 == 1) && ...),
      "fmsb::space::kernel_sizes: kernel sizes must be odd and positive, for a kernel is centred on the "
      "position that it computes");
};

/// The distances between neighbouring taps of a kernel. The axis is named "dilation".
template <int... Rates>
struct dilations : axis<"dilation", Rates...> {
  static_assert(((Rates > 0) && ...), "fmsb::space::dilations: dilations must be at least 1");
};

/// The dilation of a point; 1 where the space has no such axis.
template <fixed_string... Names>
constexpr int dilation_of(const point<Names...>& of) {
  if constexpr (point<Names...>::template has<"dilation">)
    return get<"dilation">(of);
  else
    return 1;
}

/// How many neighbouring positions one output of a dilated convolution spans: dilation (kernel - 1) + 1.
template <fixed_string... Names>
constexpr int receptive_field(const point<Names...>& of) {
  static_assert(
      point<Names...>::template has<"kernel">,
      "fmsb::space::receptive_field: only points with an axis named \"kernel\" have a receptive field");
  if constexpr (point<Names...>::template has<"kernel">)
    return dilation_of(of) * (get<"kernel">(of) - 1) + 1;
  else
    return 0;
}

/// The span of layers with stride 1, one upon the other: 1 + the sum of what each adds.
template <class Point, std::size_t Layers>
constexpr int receptive_field(const std::array<Point, Layers>& stack) {
  int span = 1;
  for (const Point& layer : stack) span += receptive_field(layer) - 1;
  return span;
}

/// The offset of the i-th tap from the centre: dilation (i - (kernel - 1) / 2), 0 <= i < kernel.
template <fixed_string... Names>
constexpr int tap(const point<Names...>& of, int i) {
  return dilation_of(of) * (i - (get<"kernel">(of) - 1) / 2);
}

namespace detail {

template <class Space>
consteval int widest_field() {
  int widest = 0;
  for (std::size_t i = 0; i < Space::size; ++i) widest = std::max(widest, receptive_field(Space::make(i)));
  return widest;
}

template <std::size_t Offsets>
struct touched_offsets {
  std::array<bool, Offsets> touched{};
  std::size_t count = 0;
};

template <class Space>
consteval auto touch_offsets() {
  constexpr int reach = widest_field<Space>() / 2;
  touched_offsets<static_cast<std::size_t>(2 * reach + 1)> of;
  for (std::size_t i = 0; i < Space::size; ++i) {
    const auto p = Space::make(i);
    for (int t = 0; t < space::get<"kernel">(p); ++t) {
      bool& touched = of.touched[static_cast<std::size_t>(reach + tap(p, t))];
      of.count += touched ? 0u : 1u;
      touched = true;
    }
  }
  return of;
}

template <class Space>
consteval auto tap_set() {
  constexpr auto of = touch_offsets<Space>();
  std::array<int, of.count> offsets{};
  std::size_t place = 0;
  for (std::size_t i = 0; i < of.touched.size(); ++i)
    if (of.touched[i]) offsets[place++] = static_cast<int>(i) - static_cast<int>(of.touched.size() / 2);
  return offsets;
}

}  // namespace detail

/// The widest receptive field of a space: the length of the kernel that holds every choice, centred.
template <search_space Space>
inline constexpr int widest_receptive_field = detail::widest_field<Space>();

/// The union of the offsets that the points of a space touch, ascending: 35 of 71 for kernels 3 to 11 and
/// dilations 1, 3, 5, 7. What a fused mixed convolution has to read.
template <search_space Space>
inline constexpr auto taps = detail::tap_set<Space>();

/// Weights of all choices together for one pair of channels: the sum of the kernel sizes. A supernet
/// has one kernel a choice, so this times the pairs of channels is what it trains.
template <search_space Space>
inline constexpr std::int64_t kernel_weights = [] {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < Space::size; ++i) sum += Space::make(i).template get<"kernel">();
  return sum;
}();

/// Parameters of a mixed convolution: a kernel a choice, one bias an output channel, one architecture
/// parameter a choice.
/// @param groups  1 for a full convolution; `in` for a depthwise one
template <search_space Space>
constexpr std::int64_t mixed_parameters(std::int64_t in, std::int64_t out, std::int64_t groups = 1) {
  return kernel_weights<Space> * (in / groups) * out + out + static_cast<std::int64_t>(Space::size);
}

/// Parameters of the convolution that a point chooses: its kernel for each pair of channels, and a bias.
template <fixed_string... Names>
constexpr std::int64_t parameters(const point<Names...>& of, std::int64_t in, std::int64_t out,
                                  std::int64_t groups = 1) {
  return std::int64_t{get<"kernel">(of)} * (in / groups) * out + out;
}

}  // namespace fmsb::space
