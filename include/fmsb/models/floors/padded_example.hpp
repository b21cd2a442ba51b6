#pragma once
#include "fmsb/core/error.hpp"                     // usage_error
#include "fmsb/nn/kernels/panels.hpp"              // kPanel
#include "fmsb/nn/kernels/pooled_convolution.hpp"  // kPooledOutputs

#include <algorithm>  // std::clamp
#include <cstddef>    // std::size_t, std::ptrdiff_t
#include <cstdint>    // std::uint32_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::models {

/// An array of {channels, length} or {channels, height, width} with room around it, so that a kernel at its
/// edge reads what is there. Images are continued by their border, for a kernel without a mean to see nothing
/// there; over one axis zeros follow.
struct padded_frame {
  std::size_t channels = 0, rows = 1, columns = 0;
  bool two_axes = false;
  std::size_t reach = 0;  ///< on either side, of every axis
  std::size_t step = 1;   ///< between the places that are looked at, on either axis

  /// @throws usage_error for an array that has neither two nor three extents, or none of something
  padded_frame(const std::vector<std::size_t>& shape, std::size_t furthest, std::size_t between = 1)
      : reach(furthest) {
    bool empty = between == 0;
    for (const auto extent : shape) empty = empty || extent == 0;
    if ((shape.size() != 2 && shape.size() != 3) || empty)
      throw usage_error("random_kernels: the examples have " + std::to_string(shape.size()) + " extents" +
                        (empty ? ", and one of them or the step is 0" : "") +
                        "; give {channels, length} or {channels, height, width}, and a step of at least 1.");
    channels = shape[0];
    columns = shape.back();
    two_axes = shape.size() == 3;
    if (two_axes) rows = shape[1];
    if (two_axes) step = between;
  }

  bool fits(const std::vector<std::size_t>& shape) const {
    return shape == (two_axes ? std::vector{channels, rows, columns} : std::vector{channels, columns});
  }

  std::size_t width() const { return columns + 2 * reach; }
  std::size_t plane() const { return (rows + (two_axes ? 2 * reach : 0)) * width(); }
  std::size_t first() const { return (two_axes ? reach * width() : 0) + reach; }
  std::size_t numbers() const { return channels * plane() + step * nn::kPooledOutputs; }
  /// Of an axis of so many, how many are looked at.
  std::size_t places(std::size_t extent) const { return (extent + step - 1) / step; }
};

/// One example in its frame; and as the number of the symbol at each position, where it is one-hot over one
/// axis: every position has a single 1, or nothing, and else zeros.
class padded_example {
 public:
  explicit padded_example(const padded_frame& frame)
      : frame_(frame),
        numbers_(frame.numbers()),
        symbols_(frame.two_axes ? 0 : frame.width() + nn::kPooledOutputs) {}

  /// @param x  an array of the frame's shape
  void hold(std::span<const float> x) {
    const auto reach = static_cast<std::ptrdiff_t>(frame_.reach);
    const auto last_row = static_cast<std::ptrdiff_t>(frame_.rows) - 1;
    float* to = numbers_.data();
    for (std::size_t c = 0; c < frame_.channels; ++c)
      for (std::ptrdiff_t r = frame_.two_axes ? -reach : 0; r <= last_row + (frame_.two_axes ? reach : 0);
           ++r) {
        const auto row = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(r, 0, last_row));
        const float* const from = x.data() + (c * frame_.rows + row) * frame_.columns;
        const float before = frame_.two_axes ? from[0] : 0,
                    behind = frame_.two_axes ? from[frame_.columns - 1] : 0;
        for (std::size_t i = 0; i < frame_.reach; ++i) *to++ = before;
        for (std::size_t i = 0; i < frame_.columns; ++i) *to++ = from[i];
        for (std::size_t i = 0; i < frame_.reach; ++i) *to++ = behind;
      }
    has_symbols_ = !frame_.two_axes && find_symbols(x);
  }

  bool has_symbols() const { return has_symbols_; }
  const float* numbers() const { return numbers_.data() + frame_.first(); }
  const std::uint32_t* symbols() const { return symbols_.data() + frame_.reach; }

 private:
  bool find_symbols(std::span<const float> x) {
    const auto none = static_cast<std::uint32_t>(frame_.channels * nn::kPanel);
    for (auto& s : symbols_) s = none;
    for (std::size_t c = 0; c < frame_.channels; ++c)
      for (std::size_t i = 0; i < frame_.columns; ++i) {
        const float value = x[c * frame_.columns + i];
        if (value == 0) continue;
        auto& symbol = symbols_[frame_.reach + i];
        if (value != 1 || symbol != none) return false;
        symbol = static_cast<std::uint32_t>(c * nn::kPanel);
      }
    return true;
  }

  padded_frame frame_;
  std::vector<float> numbers_;
  std::vector<std::uint32_t> symbols_;
  bool has_symbols_ = false;
};

}  // namespace fmsb::models
