#pragma once
#include "fmsb/core/constant_text.hpp"          // text_of
#include "fmsb/core/error.hpp"                  // usage_error
#include "fmsb/core/extent.hpp"                 // index_t, dynamic
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot
#include "fmsb/models/backbones/settings.hpp"   // backbone_settings
#include "fmsb/report/convolution_stack.hpp"    // convolution_stack
#include "fmsb/report/write_header.hpp"         // architecture_header
#include "fmsb/space/conv_space.hpp"            // dilation_of
#include "fmsb/space/point.hpp"                 // get, to_string

#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <string>     // std::string, std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

/// Architectures as they are shown and written: points in the places of a backbone.
namespace fmsb::dash {

namespace detail {
/// @throws usage_error unless there is a point of the space for each place
template <class Backbone, class Space>
void require_architecture(const std::vector<std::size_t>& points) {
  if (points.size() != Backbone::slots.size())
    throw usage_error("fmsb::dash: " + std::to_string(points.size()) + " points are no architecture of " +
                      std::to_string(Backbone::slots.size()) + " places.");
  for (const auto p : points)
    if (p >= Space::size)
      throw usage_error("fmsb::dash: point " + std::to_string(p) + " is none of the " +
                        std::to_string(Space::size) + " of the space.");
}

/// Channels into a place: those of the first are the data's, where the type leaves them open.
inline index_t channels_into(const models::conv_slot& slot, const models::backbone_settings& given) {
  return slot.in == dynamic ? given.in : slot.in;
}
}  // namespace detail

/// The layers of an architecture, for `report::stack_table` and `report::stack_figure`.
/// @param points  of each place, its index in the space
/// @param given   channels of the input, where the backbone's type leaves them open; shown as a dash where
/// neither says
template <class Backbone, class Space>
report::convolution_stack stack_of(const std::vector<std::size_t>& points, std::string title = {},
                                   const models::backbone_settings& given = {}) {
  detail::require_architecture<Backbone, Space>(points);
  report::convolution_stack stack{.title = std::move(title)};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& slot = Backbone::slots[i];
    const auto point = Space::at(points[i]);
    stack.layers.push_back({.name = Backbone::place_name(i),
                            .in = std::max<index_t>(0, detail::channels_into(slot, given)),
                            .out = slot.out,
                            .kernel = space::get<"kernel">(point),
                            .dilation = space::dilation_of(point),
                            .stride = slot.stride});
    if constexpr (requires { Backbone::before(i); }) {
      const auto before = Backbone::before(i);
      stack.layers.back().step = before.step;
      stack.layers.back().wider = before.wider;
    }
  }
  return stack;
}

/// Parameters of the searched convolutions of an architecture.
/// @param given  as `stack_of`
/// @throws usage_error also where nothing says how many channels the input has
template <class Backbone, class Space>
long long searched_parameters(const std::vector<std::size_t>& points,
                              const models::backbone_settings& given = {}) {
  detail::require_architecture<Backbone, Space>(points);
  long long sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& slot = Backbone::slots[i];
    const long long k = space::get<"kernel">(Space::at(points[i])), in = detail::channels_into(slot, given);
    if (in == dynamic)
      throw usage_error("fmsb::dash::searched_parameters: the backbone's type leaves the channels of " +
                        Backbone::place_name(i) + " open; give them in the settings.");
    sum += in * slot.out * (slot.axes == 2 ? k * k : k) + (slot.bias == nn::bias_term::yes ? slot.out : 0);
  }
  return sum;
}

/// An architecture as a C++ header in which it is a constant again, for `report::write_header`.
/// @param name        of the array, a C++ name
/// @param provenance  a comment line each: program, data, seed, options
/// @param given       as `searched_parameters`
template <class Backbone, class Space>
report::architecture_header header_of(const std::vector<std::size_t>& points, std::string name,
                                      std::vector<std::string> provenance = {},
                                      const models::backbone_settings& given = {}) {
  detail::require_architecture<Backbone, Space>(points);
  report::architecture_header header{.name = std::move(name), .provenance = std::move(provenance)};
  using point = typename Space::point_type;
  for (const auto axis : point::names) header.axes.emplace_back(axis);
  for (const auto p : points) {
    const auto values = Space::at(p).values;
    header.points.emplace_back(values.begin(), values.end());
  }
  header.space_text = text_of<Space>.view();
  header.counts = {{"searched_parameters", searched_parameters<Backbone, Space>(points, given)}};
  return header;
}

/// "k11 d7"
template <class Point>
std::string short_text(const Point& point) {
  return "k" + std::to_string(space::get<"kernel">(point)) + " d" + std::to_string(space::dilation_of(point));
}

/// The points of a space as "k11 d7".
template <class Space>
std::vector<std::string> point_texts() {
  std::vector<std::string> all;
  for (std::size_t p = 0; p < Space::size; ++p) all.push_back(short_text(Space::at(p)));
  return all;
}

}  // namespace fmsb::dash
