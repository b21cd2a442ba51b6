#pragma once
#include "fmsb/report/figure.hpp"             // figure, panel
#include "fmsb/report/json.hpp"               // json
#include "fmsb/search/dash/architecture.hpp"  // point_texts
#include "fmsb/search/dash/trace.hpp"         // trace

#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::dash {

/// Heat maps of a search: for each place the shares of its points, a row each, over the epochs.
/// @tparam Backbone  names the places
template <class Backbone, class Space>
report::figure trace_figure(const trace& of) {
  report::figure out{.columns = of.places() > 4 ? 3u : 2u, .panel_width = 440, .panel_height = 360};
  const auto rows = point_texts<Space>();
  double most = 0;
  for (const double share : of.all()) most = std::max(most, share);
  for (std::size_t place = 0; place < of.places(); ++place) {
    report::panel panel{.title = Backbone::place_name(place), .x_label = "search epoch"};
    panel.rows = rows;
    panel.map.legend = "share";
    panel.map.low = 0;  // one scale for all places, so that decided ones stand out
    panel.map.high = most;
    for (std::size_t p = 0; p < of.points(); ++p)
      for (std::size_t record = 0; record < of.records(); ++record)
        panel.map.values.push_back(of.shares(record, place)[p]);
    out.panels.push_back(std::move(panel));
  }
  return out;
}

/// How undecided each place was over the epochs, and all together.
template <class Backbone>
report::figure entropy_figure(const trace& of) {
  report::panel panel{
      .title = "entropy of the shares", .x_label = "search epoch", .y_label = "of equal shares"};
  std::vector<double> epochs;
  for (std::size_t record = 0; record < of.records(); ++record) epochs.push_back(static_cast<double>(record));
  for (std::size_t place = 0; place <= of.places(); ++place) {
    const bool mean = place == of.places();
    report::curve curve{
        .name = mean ? "mean" : "", .x = epochs, .ink = mean ? report::colour::blue : report::colour::grey};
    curve.width = mean ? 2.4 : 0.9;
    for (std::size_t record = 0; record < of.records(); ++record)
      curve.y.push_back(mean ? of.entropy(record) : of.entropy(record, place));
    panel.curves.push_back(std::move(curve));
  }
  return {.panels = {std::move(panel)}};
}

/// {"places": [{"name", "shares": [[a share a point] a record], "entropy": [..]}, ..], "points": ["k3 d1",
/// ..]}
template <class Backbone, class Space>
report::json trace_json(const trace& of) {
  report::json out;
  out["points"] = point_texts<Space>();
  out["places"] = report::json::array();
  for (std::size_t place = 0; place < of.places(); ++place) {
    report::json one;
    one["name"] = Backbone::place_name(place);
    one["entropy"] = report::json::array();
    one["shares"] = report::json::array();
    for (std::size_t record = 0; record < of.records(); ++record) {
      one["entropy"].push_back(of.entropy(record, place));
      const auto shares = of.shares(record, place);
      one["shares"].push_back(std::vector<double>(shares.begin(), shares.end()));
    }
    out["places"].push_back(std::move(one));
  }
  return out;
}

}  // namespace fmsb::dash
