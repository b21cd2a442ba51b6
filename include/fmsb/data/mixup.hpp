#pragma once
#include "fmsb/core/error.hpp"         // usage_error
#include "fmsb/core/number_text.hpp"   // number_text
#include "fmsb/core/random_bits.hpp"   // random_bits
#include "fmsb/data/random_draws.hpp"  // draw_below, draw_gamma
#include "fmsb/data/series.hpp"        // series

#include <algorithm>  // std::min
#include <cmath>      // std::isnan, std::fabs
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

struct mixup_options {
  std::size_t most = 3;        ///< series that are mixed, from 1 to so many
  double concentration = 1.5;  ///< of the Dirichlet distribution of their weights
  std::size_t shortest = 128;  ///< length of a mixture, from shortest
  std::size_t longest = 2048;  ///< to longest
  std::uint64_t seed = 0;
};

/// What a mixture was made of.
struct mixture {
  struct part {
    std::size_t series = 0;   ///< which of the series
    std::size_t channel = 0;  ///< and its channel
    std::size_t first = 0;    ///< row of the stretch's first value
    double weight = 0;
  };
  std::vector<part> parts{};
  std::size_t length = 0;
};

/// TSMixup: new series as convex combinations of stretches of given ones, each divided by its mean absolute
/// value.
///
/// How many (from 1 to `most`), how long, which series and channels and where are all drawn equally likely,
/// the weights from a Dirichlet distribution. A gap in one part is a gap of the mixture. Mixture number i
/// depends on the seed and i alone.
///
/// Source: Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024, section 4.1,
/// algorithm 1.
class mixup {
 public:
  /// Channels shorter than `shortest` are left out.
  /// @throws usage_error for options that mean nothing, or where no channel is long enough
  explicit mixup(std::vector<series> from, const mixup_options& o = {})
      : options_(o), from_(std::move(from)) {
    if (o.most == 0 || o.shortest == 0 || o.longest < o.shortest)
      throw usage_error("mixup: up to " + std::to_string(o.most) + " series of length " +
                        std::to_string(o.shortest) + " to " + std::to_string(o.longest) +
                        " are none; all three are 1 at least, and the shortest is not above the longest.");
    if (!(o.concentration > 0) || o.concentration > 1e6)
      throw usage_error("mixup: the concentration " + number_text(o.concentration) +
                        " does not lie between 0 and a million; the paper's is 1.5.");
    for (std::size_t i = 0; i < from_.size(); ++i)
      if (from_[i].channels() > 0 && from_[i].length() >= o.shortest) usable_.push_back(i);
    if (usable_.empty())
      throw usage_error("mixup: none of the " + std::to_string(from_.size()) + " series has " +
                        std::to_string(o.shortest) + " rows; give longer ones, or lower `shortest`.");
  }

  /// What the mixture of a number is made of. Where a part is shorter than the length drawn, the mixture is
  /// as short as that part.
  mixture plan(std::uint64_t number) const {
    random_bits bits(options_.seed, number);
    mixture m;
    m.parts.resize(1 + draw_below(bits, options_.most));
    m.length = options_.shortest + draw_below(bits, options_.longest - options_.shortest + 1);
    for (auto& p : m.parts) {
      p.series = usable_[draw_below(bits, usable_.size())];
      p.channel = draw_below(bits, from_[p.series].channels());
      m.length = std::min(m.length, from_[p.series].length());
    }
    double all = 0;
    for (auto& p : m.parts) {
      p.first = draw_below(bits, from_[p.series].length() - m.length + 1);
      all += p.weight = draw_gamma(bits, options_.concentration);
    }
    for (auto& p : m.parts) p.weight /= all;
    return m;
  }

  /// The mixture of a number, one channel called "mixup".
  series draw(std::uint64_t number) const {
    const mixture m = plan(number);
    std::vector<double> values(m.length, 0.0);
    for (const auto& p : m.parts) {
      const auto stretch = from_[p.series].channel(p.channel).subspan(p.first, m.length);
      const double factor = p.weight / mean_size(stretch);
      for (std::size_t t = 0; t < m.length; ++t) values[t] += factor * stretch[t];
    }
    return {{"mixup"}, {}, std::move(values)};
  }

 private:
  /// Mean absolute value of what is no gap; 1 where that is not above 0.
  static double mean_size(std::span<const double> values) {
    double sum = 0;
    std::size_t count = 0;
    for (const double x : values)
      if (!std::isnan(x)) {
        sum += std::fabs(x);
        ++count;
      }
    const double mean = sum / static_cast<double>(count);
    return mean > 0 ? mean : 1;
  }

  mixup_options options_;
  std::vector<series> from_;
  std::vector<std::size_t> usable_;
};

}  // namespace fmsb::data
