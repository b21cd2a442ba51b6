#pragma once
#include "fmsb/space/conv_space.hpp"  // widest_receptive_field, tap
#include "fmsb/space/space.hpp"       // search_space

#include <array>    // std::array
#include <cstddef>  // std::size_t

namespace fmsb::space {

/// How the kernels of all points of a space fall onto one another: a mixture of dilated convolutions is one
/// convolution whose taps are sums of theirs. On two axes a point has the same kernel size and dilation on
/// both.
///
/// The weights of all points stand in one row, point after point, each point's kernel with the last axis
/// fastest. Weight j belongs to point `point_of_weight[j]` and to the tap at `offsets[tap_of_weight[j]]`.
/// Source: the aggregation of DASH (Shen et al., NeurIPS 2022, section 3.2).
///
/// @tparam Axes  1 or 2
template <search_space Space, int Axes>
struct mixed_taps {
  static_assert(Axes == 1 || Axes == 2, "fmsb::space::mixed_taps: convolutions are over 1 or 2 axes");
  using offset = std::array<int, static_cast<std::size_t>(Axes)>;

  static constexpr int reach = widest_receptive_field<Space> / 2;  ///< along an axis, on either side
  static constexpr std::size_t points = Space::size;

 private:
  static constexpr std::size_t kernel_size(std::size_t point) {
    const auto k = static_cast<std::size_t>(Space::make(point).template get<"kernel">());
    return Axes == 1 ? k : k * k;
  }
  static constexpr std::size_t field = 2 * static_cast<std::size_t>(reach) + 1;
  static constexpr std::size_t places = Axes == 1 ? field : field * field;

 public:
  /// The first weight of a point; of `points`, one behind the last.
  static constexpr std::size_t first_weight(std::size_t point) {
    std::size_t sum = 0;
    for (std::size_t p = 0; p < point; ++p) sum += kernel_size(p);
    return sum;
  }
  static constexpr std::size_t weights = first_weight(points);  ///< of all points, for one pair of channels

 private:
  struct laid_out {
    std::array<int, places> tap_at{};           // -1: no tap
    std::array<int, weights> place{}, point{};  // of each weight
    std::size_t taps = 0;
  };
  static consteval laid_out lay_out() {
    laid_out all;
    std::size_t j = 0;
    for (std::size_t p = 0; p < points; ++p) {
      const auto of = Space::make(p);
      const int k = of.template get<"kernel">();
      for (int i = 0; i < (Axes == 1 ? 1 : k); ++i)
        for (int l = 0; l < k; ++l, ++j) {
          const int row = Axes == 1 ? 0 : reach + tap(of, i);
          all.place[j] = row * static_cast<int>(field) + reach + tap(of, l);
          all.point[j] = static_cast<int>(p);
          all.tap_at[static_cast<std::size_t>(all.place[j])] = 1;
        }
    }
    for (int& at : all.tap_at) at = at == 0 ? -1 : static_cast<int>(all.taps++);
    return all;
  }
  static constexpr laid_out layout = lay_out();

 public:
  static constexpr std::size_t count = layout.taps;  ///< taps: offsets that some point touches

  /// Offsets from the centre, ascending, the last axis fastest. On one axis those of `taps<Space>`.
  static constexpr std::array<offset, count> offsets = [] {
    std::array<offset, count> all{};
    for (std::size_t i = 0; i < places; ++i) {
      if (layout.tap_at[i] < 0) continue;
      offset& o = all[static_cast<std::size_t>(layout.tap_at[i])];
      o[Axes - 1] = static_cast<int>(i % field) - reach;
      if constexpr (Axes == 2) o[0] = static_cast<int>(i / field) - reach;
    }
    return all;
  }();

  static constexpr std::array<int, weights> tap_of_weight = [] {
    std::array<int, weights> all{};
    for (std::size_t j = 0; j < weights; ++j)
      all[j] = layout.tap_at[static_cast<std::size_t>(layout.place[j])];
    return all;
  }();
  static constexpr std::array<int, weights> point_of_weight = layout.point;
};

}  // namespace fmsb::space
