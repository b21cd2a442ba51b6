#pragma once
#include "fmsb/core/display_text.hpp"  // grouped
#include "fmsb/core/error.hpp"         // usage_error
#include "fmsb/report/figure.hpp"      // figure, panel
#include "fmsb/report/table.hpp"       // table

#include <algorithm>  // std::any_of, std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <limits>     // std::numeric_limits
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::report {

/// A convolution over one axis, or along one axis of several, as plain numbers.
struct convolution_layer {
  std::string name;
  long long in = 0, out = 0;  ///< channels; 0: not known
  long long kernel = 1, dilation = 1, stride = 1;
  /// Where something pools or interpolates before the layer: positions of the network's input that a step of
  /// the layer's own is, and by how many more that makes what an output sees wider.
  long long step = 0, wider = 0;  ///< a step of 0: what the strides before it multiply to

  /// How many positions of its input one output spans: dilation (kernel - 1) + 1.
  constexpr long long field() const { return dilation * (kernel - 1) + 1; }
  /// The offset of the i-th tap from the centre, 0 <= i < kernel: that of space::tap.
  constexpr long long tap(long long i) const { return dilation * (i - (kernel - 1) / 2); }
};

/// Convolutions one upon the other, from the input to the output: an architecture to be shown.
struct convolution_stack {
  std::string title{};
  std::vector<convolution_layer> layers{};
};

/// What an output of a layer sees of the network's input: the offsets of the first and the last position.
struct reach {
  long long first = 0, last = 0;
  constexpr long long field() const { return last - first + 1; }
};

/// The reach through the network up to each layer. A step of a layer's input is as many steps of the
/// network's input as the strides before it multiply to, unless the layer says how many.
/// @throws usage_error on a stack without layers, a kernel, dilation or stride below 1, a step or a widening
/// below 0, or a reach beyond 2^50
inline std::vector<reach> reaches(const convolution_stack& stack) {
  if (stack.layers.empty())
    throw usage_error("convolution_stack: \"" + stack.title + "\" has no layers to be shown.");
  constexpr long long kFarthest = 1LL << 50;  // exact in the doubles of a figure, far from overflow
  std::vector<reach> out;
  reach so_far;
  long long step = 1;
  for (const auto& layer : stack.layers) {
    const auto refuse = [&](const std::string& why) {
      throw usage_error("convolution_stack: layer \"" + layer.name + "\": " + why);
    };
    if (layer.kernel < 1 || layer.dilation < 1 || layer.stride < 1)
      refuse("kernel " + std::to_string(layer.kernel) + ", dilation " + std::to_string(layer.dilation) +
             " and stride " + std::to_string(layer.stride) + " must be at least 1.");
    if (layer.in < 0 || layer.out < 0) refuse("channels are a number, or 0 where they are not known.");
    if (layer.step < 0 || layer.wider < 0)
      refuse("what pools before it cannot make its step or field smaller.");
    if (layer.step > 0) step = std::min(layer.step, kFarthest);
    so_far.last += std::min(layer.wider, kFarthest);
    const auto widest = kFarthest / step / layer.dilation;
    if (layer.kernel > widest || so_far.field() > kFarthest)
      refuse("what it sees is more than 2^50 positions wide; look at its kernel, dilation and the strides.");
    so_far = {so_far.first + step * layer.tap(0), so_far.last + step * layer.tap(layer.kernel - 1)};
    out.push_back(so_far);
    if (layer.stride > kFarthest / step) refuse("the strides up to it multiply to more than 2^50.");
    step *= layer.stride;
  }
  return out;
}

/// A row a layer: its extents, the positions that it spans, and those seen through the network so far; and
/// the step of its input, where a layer says one.
/// @throws as reaches
inline table stack_table(const convolution_stack& stack) {
  const auto seen = reaches(stack);
  const bool stepped = std::any_of(stack.layers.begin(), stack.layers.end(),
                                   [](const convolution_layer& layer) { return layer.step > 0; });
  std::vector<std::string> heads{"layer", "in", "out", "kernel", "dilation", "stride", "spans", "sees"};
  if (stepped) heads.insert(heads.end() - 2, "step");
  table out(std::move(heads));
  const auto count = [](long long n) { return n == 0 ? "-" : grouped(static_cast<std::uint64_t>(n)); };
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto& layer = stack.layers[i];
    std::vector<std::string> row{layer.name,           count(layer.in),       count(layer.out),
                                 count(layer.kernel),  count(layer.dilation), count(layer.stride),
                                 count(layer.field()), count(seen[i].field())};
    if (stepped) row.insert(row.end() - 2, count(layer.step));
    out.add(std::move(row));
  }
  return out;
}

/// Two panels with a row a layer, the input on top. At the left the taps of each layer at their offsets, so
/// that kernel, dilation and span are seen at once; at the right how much of the network's input an output of
/// the layer sees, with the number at its row.
/// @throws as reaches
inline figure stack_figure(const convolution_stack& stack) {
  constexpr double kBreak = std::numeric_limits<double>::quiet_NaN();
  constexpr long long kMostDots = 400;  // more do not stand apart on a screen; the span is drawn all the same
  const auto seen = reaches(stack);
  const std::string before = stack.title.empty() ? "" : stack.title + ": ";
  panel taps{.title = before + "taps of each layer", .x_label = "offset in the layer's input"};
  panel sees{.title = before + "receptive field so far",
             .x_label = "offset in the network's input",
             .y_label = "positions seen"};
  band spans{.name = "span", .ink = colour::sky, .opacity = 0.6};
  band fields{.name = "seen by one output", .ink = colour::vermilion, .opacity = 0.75};
  curve dots{.name = "tap", .ink = colour::blue, .look = stroke::points, .width = 2.8};
  const auto bar = [&](band& of, double row, double half, double first, double last) {
    for (const double x : {first, last, kBreak}) {
      of.x.push_back(x);
      of.lower.push_back(row - half);
      of.upper.push_back(row + half);
    }
  };
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto& layer = stack.layers[i];
    const auto row = static_cast<double>(i);
    const std::string stride = layer.stride == 1 ? "" : " s" + std::to_string(layer.stride);
    taps.rows.push_back(layer.name + "  k" + std::to_string(layer.kernel) + " d" +
                        std::to_string(layer.dilation) + stride);
    sees.rows.push_back(grouped(static_cast<std::uint64_t>(seen[i].field())));
    bar(spans, row, 0.12, static_cast<double>(layer.tap(0)),
        static_cast<double>(layer.tap(layer.kernel - 1)));
    for (long long t = 0; t < layer.kernel && layer.kernel <= kMostDots; ++t) {
      dots.x.push_back(static_cast<double>(layer.tap(t)));
      dots.y.push_back(row);
    }
    // half a position at either end: a field of one position has a width, too
    bar(fields, row, 0.3, static_cast<double>(seen[i].first) - 0.5, static_cast<double>(seen[i].last) + 0.5);
  }
  taps.bands = {spans};
  taps.curves = {dots};
  sees.bands = {fields};
  taps.rules = sees.rules = {0};
  const auto rows = static_cast<unsigned>(std::min<std::size_t>(seen.size(), 200));
  return {.panels = {taps, sees}, .columns = 2, .panel_width = 560, .panel_height = 130 + 24 * rows};
}

}  // namespace fmsb::report
