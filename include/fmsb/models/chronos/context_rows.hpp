#pragma once
#include "fmsb/core/error.hpp"        // usage_error, data_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/tensor.hpp"         // tensor

#include <ATen/ops/full.h>  // at::full

#include <algorithm>  // std::max, std::min
#include <cmath>      // std::isinf
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::string, std::to_string

namespace fmsb::chronos {

/// Series with their pasts, one span of values in order of time each; a gap is NaN.
using contexts = std::span<const std::span<const double>>;

namespace detail {

/// Copies the values of a series into floats. @throws data_error for infinities
inline void write_floats(std::span<const double> from, std::size_t series, const std::string& reader,
                         float* into) {
  for (std::size_t t = 0; t < from.size(); ++t) {
    into[t] = static_cast<float>(from[t]);
    if (std::isinf(into[t]))
      throw data_error(reader + ": series " + std::to_string(series) + " holds " + number_text(from[t]) +
                       " at position " + std::to_string(t) +
                       " of what is read; values are finite in float32, or gaps (NaN).");
  }
}

/// How many values a batch's rows are to hold: those of the longest series, `most` at most and `length` at
/// least. @throws usage_error where there are no series or one has no values
inline index_t row_length(contexts series, index_t most, index_t length, const std::string& reader) {
  if (series.empty()) throw usage_error(reader + ": there are no series to encode.");
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series[i].empty())
      throw usage_error(reader + ": series " + std::to_string(i) +
                        " has no values; a context holds one at least, be it a gap.");
    length = std::max(length, std::min(static_cast<index_t>(series[i].size()), most));
  }
  return length;
}

}  // namespace detail

/// The last `most` values of each series as the rows of one tensor, with gaps in front of shorter ones.
///
/// @param first  the number by which messages call the first of them
/// @return [series, T] float; T is the length of the longest, `most` at most
/// @throws usage_error where there are no series or one has no values
/// @throws data_error for a value that is infinite, or is so in float32
inline tensor context_rows(contexts series, index_t most, std::size_t first = 0) {
  const std::string reader = "fmsb::chronos::context_rows";
  const auto length = static_cast<std::size_t>(detail::row_length(series, most, 1, reader));
  auto rows = at::full({static_cast<index_t>(series.size()), static_cast<index_t>(length)},
                       std::numeric_limits<double>::quiet_NaN(), at::TensorOptions().dtype(at::kFloat));
  auto* const values = rows.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto kept = std::min(series[i].size(), length);
    detail::write_floats(series[i].last(kept), first + i, reader, values + (i + 1) * length - kept);
  }
  return rows;
}

}  // namespace fmsb::chronos
