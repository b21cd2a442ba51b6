#pragma once
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot
#include "fmsb/nn/mixed_conv.hpp"               // mixed_conv, mixing

namespace fmsb::dash {

/// Which channels a mixed convolution joins.
enum class joined {
  all,                   ///< every output all inputs, as the network that is found does
  where_channels_change  ///< where a layer has as many outputs as inputs, every channel alone: the program
                         ///< released with DASH, which it saves most of the time
};

struct mixed_options {
  joined channels = joined::where_channels_change;
  nn::mixing coefficients = nn::mixing::gumbel;
  friend bool operator==(const mixed_options&, const mixed_options&) = default;
};

namespace detail {

template <class Space, mixed_options Options>
struct use_mixture {
  using fill = use_mixture;
  using space_type = Space;
  template <models::conv_slot S>
  using layer = nn::mixed_conv<
      S.axes, Space, S.in, S.out,
      nn::mixed_conv_options{
          .stride = S.stride,
          .groups = S.in == S.out&& Options.channels == joined::where_channels_change ? nn::depthwise : 1,
          .coefficients = Options.coefficients,
          .bias = S.bias}>;
  template <models::conv_slot S>
  layer<S> make(nn::conv_extents given = {}) const {
    return layer<S>(given);
  }
  friend bool operator==(const use_mixture&, const use_mixture&) = default;
};

}  // namespace detail

/// For a backbone's last template argument: the mixture of all points of a space in each of its searched
/// places, which makes it a supernet.
template <class Space, mixed_options Options = mixed_options{}>
inline constexpr detail::use_mixture<Space, Options> mixed{};

}  // namespace fmsb::dash
