#pragma once
#include "fmsb/core/error.hpp"            // usage_error, data_error
#include "fmsb/data/labelled.hpp"         // labelled_set, train_examples
#include "fmsb/data/labelled_splits.hpp"  // labelled_splits

#include <algorithm>  // std::max, std::min
#include <cmath>      // std::isfinite, std::sqrt
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <string>     // std::string, std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

/// Per-channel standardisation of labelled arrays, z = (x - mean) / deviation, as z_score for series.
/// Channels are the first axis of an array: the colours of an image, the columns of a table.
///
/// The deviation is the population's (divided by n, not n - 1). A constant channel keeps deviation 1, so that
/// it becomes 0 throughout and `invert` restores it.
struct channel_scale {
  std::vector<double> mean{};       ///< one a channel
  std::vector<double> deviation{};  ///< one a channel, positive

  /// Statistics of every channel over all examples and places. Only a training part has them: what is learned
  /// from others leaks into the scores.
  /// @throws data_error where there is no example, a number is not finite, or there are no channels
  static channel_scale fit(const train_examples& from) {
    const auto& all = from.members();
    if (all.values().empty() || all.shape().empty())
      throw data_error("scaling: " + all.name() + " holds no numbers that a scale could be taken from.");
    const std::size_t channels = all.shape()[0], places = all.numbers_each() / channels;
    channel_scale out;
    for (std::size_t c = 0; c < channels; ++c) {
      double sum = 0, low = std::numeric_limits<double>::infinity(), high = -low;
      for (std::size_t i = 0; i < all.size(); ++i)
        for (const float x : all.values(i).subspan(c * places, places)) {
          if (!std::isfinite(x))
            throw data_error("scaling: " + all.name() + ", example " + std::to_string(i + 1) + ", channel " +
                             std::to_string(c + 1) +
                             " holds a number that is not finite; take the example out.");
          sum += static_cast<double>(x);
          low = std::min(low, static_cast<double>(x));
          high = std::max(high, static_cast<double>(x));
        }
      // The mean of equal numbers may differ from them by rounding, so a constant is told by its extremes.
      const double centre = low == high ? low : sum / static_cast<double>(all.size() * places);
      double squares = 0;
      for (std::size_t i = 0; i < all.size(); ++i)
        for (const float x : all.values(i).subspan(c * places, places))
          squares += (static_cast<double>(x) - centre) * (static_cast<double>(x) - centre);
      out.mean.push_back(centre);
      out.deviation.push_back(low == high ? 1
                                          : std::sqrt(squares / static_cast<double>(all.size() * places)));
    }
    return out;
  }

  /// A standardised copy. @throws usage_error where the number of channels differs
  labelled_set apply(const labelled_set& examples) const {
    return mapped(examples, "apply", [](double x, double m, double s) { return (x - m) / s; });
  }
  template <role R>
  labelled_part<R> apply(const labelled_part<R>& examples) const {
    return labelled_part<R>(apply(examples.members()));
  }

  /// The inverse of `apply`, to the rounding of float. @throws usage_error where the number of channels
  /// differs
  labelled_set invert(const labelled_set& examples) const {
    return mapped(examples, "invert", [](double z, double m, double s) { return z * s + m; });
  }

 private:
  template <class Map>
  labelled_set mapped(const labelled_set& from, const char* verb, Map map) const {
    const std::size_t channels = from.shape().empty() ? 0 : from.shape()[0];
    if (channels == 0 || channels != mean.size() || channels != deviation.size())
      throw usage_error(std::string("channel_scale::") + verb + ": the scale was taken from " +
                        std::to_string(mean.size()) + " channels, " + from.name() + " has " +
                        std::to_string(channels) + ".");
    const std::size_t places = from.numbers_each() / channels;
    std::vector<float> values(from.values().begin(), from.values().end());
    for (std::size_t at = 0, c = 0; at < values.size(); at += places, c = (c + 1) % channels)
      for (std::size_t k = at; k < at + places; ++k)
        values[k] = static_cast<float>(map(static_cast<double>(values[k]), mean[c], deviation[c]));
    return {from.name(),
            from.shape(),
            std::move(values),
            {from.labels().begin(), from.labels().end()},
            from.classes()};
  }
};

/// Both parts standardised by the statistics of train.
inline labelled_splits standardised(const labelled_splits& parts) {
  const auto scale = channel_scale::fit(parts.train);
  return {scale.apply(parts.train), scale.apply(parts.test)};
}

}  // namespace fmsb::data
