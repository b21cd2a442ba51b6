#pragma once
#include "fmsb/core/error.hpp"   // usage_error, data_error
#include "fmsb/data/series.hpp"  // series
#include "fmsb/data/splits.hpp"  // splits

#include <cmath>    // std::isnan, std::sqrt
#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::data {

/// Per-channel standardisation, z = (x - mean) / deviation.
///
/// The deviation is the population's (divided by n, not n - 1), as in the loaders released with Informer.
/// Gaps (NaN) take no part in the statistics and stay gaps. A constant channel keeps deviation 1, so that
/// it becomes 0 throughout and `invert` restores it.
struct z_score {
  std::vector<double> mean;       ///< one a channel
  std::vector<double> deviation;  ///< one a channel, positive

  /// Statistics of every channel over all rows of `rows`.
  /// @throws data_error where a channel holds nothing but gaps, or numbers too large to square
  static z_score fit(const series& rows) {
    z_score out;
    for (std::size_t c = 0; c < rows.channels(); ++c) {
      double sum = 0, count = 0;
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (const double x : rows.channel(c)) {
        const bool known = !std::isnan(x);
        sum += known ? x : 0;
        count += known ? 1 : 0;
        low = x < low ? x : low;
        high = x > high ? x : high;
      }
      if (count == 0)
        throw data_error("scaling: column \"" + rows.names()[c] + "\" holds no number in the " +
                         std::to_string(rows.length()) + " rows that the scale is taken from; leave it out.");
      if (low == high) {
        out.mean.push_back(low);
        out.deviation.push_back(1);
        continue;
      }
      const double centre = sum / count;
      double squares = 0;
      for (const double x : rows.channel(c)) {
        const double away = std::isnan(x) ? 0 : x - centre;
        squares += away * away;
      }
      const double spread = std::sqrt(squares / count);
      if (!(spread > 0) || !(spread <= std::numeric_limits<double>::max()))
        throw data_error(
            "scaling: column \"" + rows.names()[c] +
            "\" has no usable standard deviation: its numbers are too large or too close together; "
            "change its unit or leave it out.");
      out.mean.push_back(centre);
      out.deviation.push_back(spread);
    }
    return out;
  }

  /// A standardised copy. @throws usage_error where the number of channels differs
  series apply(const series& rows) const {
    return mapped(rows, "apply", [](double x, double m, double s) { return (x - m) / s; });
  }

  /// The inverse of `apply`. @throws usage_error where the number of channels differs
  series invert(const series& rows) const {
    return mapped(rows, "invert", [](double z, double m, double s) { return z * s + m; });
  }

 private:
  template <class Map>
  series mapped(const series& rows, const char* verb, Map map) const {
    if (rows.channels() != mean.size() || rows.channels() != deviation.size())
      throw usage_error(std::string("z_score::") + verb + ": the scale was taken from " +
                        std::to_string(mean.size()) + " channels, the series has " +
                        std::to_string(rows.channels()) + ".");
    std::vector<double> values;
    values.reserve(rows.channels() * rows.length());
    for (std::size_t c = 0; c < rows.channels(); ++c)
      for (const double x : rows.channel(c)) values.push_back(map(x, mean[c], deviation[c]));
    return {rows.names(), {rows.times().begin(), rows.times().end()}, std::move(values)};
  }
};

/// All three parts standardised by the statistics of the train rows.
inline splits z_scored(const splits& parts) {
  const series scaled = z_score::fit(parts.train.rows()).apply(parts.train.whole());
  return {{scaled, parts.train.first(), parts.train.last()},
          {scaled, parts.validation.first(), parts.validation.last()},
          {scaled, parts.test.first(), parts.test.last()},
          parts.name};
}

}  // namespace fmsb::data
