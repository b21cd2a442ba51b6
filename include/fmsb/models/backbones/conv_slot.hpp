#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/nn/chosen_conv.hpp"    // chosen_conv
#include "fmsb/nn/conv.hpp"           // conv
#include "fmsb/nn/conv_at.hpp"        // conv_at
#include "fmsb/nn/counts.hpp"         // receptive_field, multiply_adds, parameters
#include "fmsb/space/conv_space.hpp"  // receptive_field

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <string>       // std::string, std::to_string
#include <type_traits>  // std::remove_cvref_t
#include <utility>      // std::index_sequence, std::move
#include <vector>       // std::vector

/// The places of a backbone at which a search decides, and what may stand there. A backbone takes one value
/// for all of them as its last template argument:
///
///     plain_convolutions               the backbone's own kernels
///     dash::mixed<Space>               a mixture of all points of a space: the supernet
///     std::array{Space::at(3), ...}    the point of each place, as constants
///     points_at_run_time<Space>        the same, given to the constructor as indices
namespace fmsb::models {

/// One such place: a convolution with as many positions out as in, or every stride-th of them.
struct conv_slot {
  int axes = 1;
  index_t place = 0;  ///< among those of the backbone, from 0
  index_t in = 1, out = 1;
  index_t kernel = 3;  ///< of the plain backbone
  index_t stride = 1;
  nn::bias_term bias = nn::bias_term::yes;
  friend bool operator==(const conv_slot&, const conv_slot&) = default;
};

namespace detail {

/// nn::conv has no `same` with a stride; its padding is that of an odd kernel then.
template <conv_slot S>
constexpr index_t plain_padding() {
  static_assert(S.stride == 1 || S.kernel % 2 == 1,
                "fmsb::models: a convolution with a stride needs an odd kernel");
  return S.stride == 1 ? nn::same : (S.kernel - 1) / 2;
}

struct use_plain {
  using fill = use_plain;
  template <conv_slot S>
  using layer = nn::conv<S.axes, S.in, S.out, S.kernel,
                         nn::conv_options{.stride = S.stride, .padding = plain_padding<S>(), .bias = S.bias}>;
  template <conv_slot S>
  layer<S> make(nn::conv_extents given = {}) const {
    return layer<S>(given);
  }
  friend bool operator==(const use_plain&, const use_plain&) = default;
};

template <conv_slot S>
constexpr nn::conv_at_options options_at() {
  return {.stride = S.stride, .groups = 1, .bias = S.bias};
}

template <auto Points>
struct use_points {
  static constexpr std::size_t places = Points.size();
  template <conv_slot S>
  using layer = nn::conv_at<S.axes, Points[static_cast<std::size_t>(S.place)], S.in, S.out, options_at<S>()>;
  template <conv_slot S>
  layer<S> make(nn::conv_extents given = {}) const {
    return layer<S>(given);
  }
};

template <class Space>
struct use_run_time {
  using space_type = Space;
  template <conv_slot S>
  using layer = nn::chosen_conv<S.axes, Space, S.in, S.out, options_at<S>()>;
  template <conv_slot S>
  layer<S> make(nn::conv_extents given = {}) const {
    return layer<S>(points.at(static_cast<std::size_t>(S.place)), given);
  }
  std::vector<std::size_t> points;  ///< of each place, its index in the space
};

template <class Space>
struct run_time_tag {
  using fill = use_run_time<Space>;
  friend bool operator==(const run_time_tag&, const run_time_tag&) = default;
};

template <class Value, auto Given>
struct fill_of {  // a value of a type that says itself how it fills a place
  using type = typename Value::fill;
};
template <class Point, std::size_t Places, auto Given>
struct fill_of<std::array<Point, Places>, Given> {
  using type = use_points<Given>;
};

}  // namespace detail

/// For a backbone's last template argument: its own kernels.
inline constexpr detail::use_plain plain_convolutions{};

/// For a backbone's last template argument: points of a space that its constructor is given. The network is
/// compiled once for all of them.
template <class Space>
inline constexpr detail::run_time_tag<Space> points_at_run_time{};

/// How a backbone's last template argument fills its places: `layer<slot>` and `make<slot>(extents)`.
template <auto Convolutions>
using filling = typename detail::fill_of<std::remove_cvref_t<decltype(Convolutions)>, Convolutions>::type;

namespace detail {
template <class Filling, auto Slot>
struct layer_in {
  using type = typename Filling::template layer<Slot>;
};
}  // namespace detail

/// The layer in a place. Behind it a struct, not an alias: g++ 12 fails on aliases of aliases by values.
template <class Filling, auto Slot>
using conv_of = typename detail::layer_in<Filling, Slot>::type;

namespace detail {

template <class Filling>
inline constexpr bool chosen_when_built = false;
template <class Space>
inline constexpr bool chosen_when_built<use_run_time<Space>> = true;

template <class Filling>
struct space_of_filling {
  using type = void;
};
template <class Filling>
requires requires { typename Filling::space_type; }
struct space_of_filling<Filling> {
  using type = typename Filling::space_type;
};
template <class Filling>
using space_of = typename space_of_filling<Filling>::type;

/// Holds where the filling has as many points as the backbone has places, or any number will do.
template <class Filling, std::size_t Places>
constexpr bool fits() {
  if constexpr (requires { Filling::places; })
    return Filling::places == Places;
  else
    return true;
}

/// @throws usage_error unless there are as many points as places
template <class Filling>
Filling with_points(const char* backbone, std::vector<std::size_t> points, std::size_t places) {
  if (points.size() != places)
    throw usage_error("fmsb::models::" + std::string(backbone) + ": " + std::to_string(points.size()) +
                      " points were given for its " + std::to_string(places) + " searched convolutions.");
  return {std::move(points)};
}

template <class T>
inline constexpr bool is_mixture = requires {
  T::points;
};  // nn::mixed_conv

/// The receptive field of a layer, which the type or its constructor fixes.
template <class Conv>
index_t field_of(const Conv& conv) {
  if constexpr (requires { conv.field(); })
    return conv.field();
  else
    return Conv::receptive_field;
}

template <class Filling, auto Slots, class Indices>
struct numbers_of_layers;
template <class Filling, auto Slots, std::size_t... I>
struct numbers_of_layers<Filling, Slots, std::index_sequence<I...>> {
  using row = std::array<index_t, sizeof...(I)>;
  static constexpr row fields{nn::receptive_field<conv_of<Filling, Slots[I]>>...};
  static constexpr row multiply_adds{nn::multiply_adds<conv_of<Filling, Slots[I]>>...};
  static constexpr row parameters{nn::parameters<conv_of<Filling, Slots[I]>>...};
};

}  // namespace detail

/// Constants of the layers in all places, in their order: `fields`, the receptive field of each along one
/// axis; `multiply_adds` for one position of its output; `parameters`. What a point at run time decides is
/// `dynamic`.
template <class Filling, auto Slots>
using layer_counts = detail::numbers_of_layers<Filling, Slots, std::make_index_sequence<Slots.size()>>;

/// Positions of the input, along one axis, that one position sees after all layers; `dynamic` where the field
/// of one of them is.
/// @param fields  of each layer, in the order in which they run
template <auto Slots>
constexpr index_t field_through(const std::array<index_t, Slots.size()>& fields) {
  index_t span = 1, step = 1;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] == dynamic) return dynamic;
    span += (fields[i] - 1) * step;
    step *= Slots[i].stride;
  }
  return span;
}

}  // namespace fmsb::models
