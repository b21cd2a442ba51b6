#pragma once
#include "fmsb/core/error.hpp"        // data_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/data/series.hpp"       // series

#include <algorithm>  // std::find_if, std::max
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::data {

/// Rows [first, last) of a series.
struct row_range {
  std::size_t first = 0;
  std::size_t last = 0;

  std::size_t length() const { return last - first; }
  bool operator==(const row_range&) const = default;
};

/// What is absent from one channel. Rows are counted from 0.
struct channel_gaps {
  std::size_t channel = 0;
  std::size_t absent = 0;   ///< rows without a number
  std::size_t runs = 0;     ///< uninterrupted stretches of them
  std::size_t longest = 0;  ///< rows of the longest stretch
  std::size_t first = 0;    ///< the first row without a number
};

/// The channels that have gaps, and how many; nothing where every row of every channel holds a number.
inline std::vector<channel_gaps> find_gaps(const series& rows) {
  std::vector<channel_gaps> out;
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    channel_gaps found{.channel = c};
    const auto values = rows.channel(c);
    for (std::size_t t = 0, run = 0; t < values.size(); ++t) {
      if (!std::isnan(values[t])) {
        run = 0;
        continue;
      }
      if (found.absent++ == 0) found.first = t;
      if (run++ == 0) ++found.runs;
      found.longest = std::max(found.longest, run);
    }
    if (found.absent > 0) out.push_back(found);
  }
  return out;
}

/// The longest possible stretches in which no channel has a gap, in order; those shorter than `least` are
/// left out.
inline std::vector<row_range> segments(const series& rows, std::size_t least = 1) {
  std::vector<char> whole(rows.length(), 1);
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    const auto values = rows.channel(c);
    for (std::size_t t = 0; t < values.size(); ++t) whole[t] = whole[t] && !std::isnan(values[t]);
  }
  std::vector<row_range> out;
  for (std::size_t t = 0; t < whole.size();) {
    const std::size_t first = t;
    while (t < whole.size() && whole[t]) ++t;
    if (t > first && t - first >= least) out.push_back({first, t});
    if (t < whole.size()) ++t;
  }
  return out;
}

/// The first number of a channel; the end of the channel where there is none.
inline auto first_known(const series& rows, std::size_t channel) {
  const auto values = rows.channel(channel);
  return std::find_if(values.begin(), values.end(), [](double x) { return !std::isnan(x); });
}

/// The channels that hold one number throughout (gaps aside): nothing can be learnt from them.
inline std::vector<std::size_t> constant_channels(const series& rows) {
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < rows.channels(); ++c) {
    const auto values = rows.channel(c);
    const auto known = first_known(rows, c);
    const bool constant = known != values.end() && std::all_of(known, values.end(), [&](double x) {
                            return std::isnan(x) || x == *known;
                          });
    if (constant) out.push_back(c);
  }
  return out;
}

/// @throws data_error naming the first channel without any number, or where every channel is constant
inline void require_numbers(const series& rows) {
  for (const auto& gaps : find_gaps(rows))
    if (gaps.absent == rows.length())
      throw data_error("column \"" + rows.names()[gaps.channel] + "\" holds no number in any of its " +
                       std::to_string(rows.length()) + " rows; leave it out of the columns.");
  const auto constant = constant_channels(rows);
  if (!rows.empty() && constant.size() == rows.channels())
    throw data_error("every column is constant: \"" + rows.names()[0] + "\" is " +
                     number_text(*first_known(rows, 0)) + " throughout; there is nothing to forecast.");
}

}  // namespace fmsb::data
