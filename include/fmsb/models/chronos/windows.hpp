#pragma once
#include "fmsb/core/error.hpp"         // usage_error
#include "fmsb/core/extent.hpp"        // index_t
#include "fmsb/core/number_text.hpp"   // number_text
#include "fmsb/core/random_bits.hpp"   // random_bits
#include "fmsb/data/random_draws.hpp"  // draw_below
#include "fmsb/data/series.hpp"        // series

#include <algorithm>  // std::upper_bound
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::chronos {

/// What is equally likely when a window is drawn.
enum class equally_likely {
  windows,   ///< every window; long series are seen more often
  channels,  ///< every channel of every series, and within it every window
};

/// Which windows, a context and the horizon after it, a model is trained on.
struct window_options {
  index_t context = 512;            ///< values of the past at most
  index_t horizon = 64;             ///< values that follow
  index_t shortest_context = 1;     ///< windows near a series' start have shorter pasts, down to this
  index_t observed_in_context = 1;  ///< values of the past that are no gaps, at least
  index_t observed_in_horizon = 1;  ///< the same of the horizon
  equally_likely draw = equally_likely::windows;
};

/// A place at which a series is cut into past and future.
struct window {
  std::size_t series = 0;
  std::size_t channel = 0;
  std::size_t cut = 0;  ///< row of the horizon's first value
};

/// All windows of some series that the options allow, to be drawn from. The series are shared, not copied;
/// neighbours in time are kept as runs, so that millions of windows take little memory.
class windows {
 public:
  /// @throws usage_error for options that mean nothing, or where there is no window at all
  windows(std::span<const data::series> from, const window_options& o)
      : options_(o), from_(from.begin(), from.end()) {
    if (o.context < 1 || o.horizon < 1 || o.shortest_context < 1 || o.shortest_context > o.context)
      throw usage_error("fmsb::chronos::windows: contexts of " + std::to_string(o.shortest_context) + " to " +
                        std::to_string(o.context) + " values and a horizon of " + std::to_string(o.horizon) +
                        " are none; all are 1 at least, and shortest_context is not above context.");
    for (std::size_t s = 0; s < from_.size(); ++s)
      for (std::size_t c = 0; c < from_[s].channels(); ++c) add_channel(s, c);
    if (count_ == 0)
      throw usage_error("fmsb::chronos::windows: none of the " + std::to_string(from_.size()) +
                        " series has a window of " + std::to_string(o.shortest_context) + " values and " +
                        std::to_string(o.horizon) +
                        " after them with enough that are no gaps; shorten the window.");
  }

  const window_options& options() const { return options_; }
  /// How many there are.
  std::uint64_t size() const { return count_; }

  /// The window of a number below size(): series after series, channel after channel, in order of time.
  window operator[](std::uint64_t number) const {
    if (number >= count_)
      throw usage_error("fmsb::chronos::windows: window " + std::to_string(number) +
                        " was asked for; there are " + std::to_string(count_) + ", counted from 0.");
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), number,
                                        [](std::uint64_t n, const run& r) { return n < r.before; });
    const auto& r = *(after - 1);
    return {r.series, r.channel, r.first + static_cast<std::size_t>(number - r.before)};
  }

  template <class Generator>
  window draw(Generator& bits) const {
    if (options_.draw == equally_likely::windows) return (*this)[data::draw_below(bits, count_)];
    const auto i = static_cast<std::size_t>(data::draw_below(bits, channels_.size()));
    const auto end = i + 1 < channels_.size() ? channels_[i + 1] : count_;
    return (*this)[channels_[i] + data::draw_below(bits, end - channels_[i])];
  }

  /// The values before the cut, `context` at most.
  std::span<const double> past(const window& w) const {
    const auto most = std::min(w.cut, static_cast<std::size_t>(options_.context));
    return from_[w.series].channel(w.channel).subspan(w.cut - most, most);
  }
  /// The `horizon` values from the cut on.
  std::span<const double> future(const window& w) const {
    return from_[w.series].channel(w.channel).subspan(w.cut, static_cast<std::size_t>(options_.horizon));
  }

 private:
  /// Windows of one channel whose cuts are neighbours.
  struct run {
    std::size_t series, channel, first;
    std::uint64_t before;  // windows in front of this run
  };

  void add_channel(std::size_t s, std::size_t c) {
    const auto values = from_[s].channel(c);
    std::vector<std::size_t> seen(values.size() + 1, 0);  // values that are no gaps, before each row
    for (std::size_t t = 0; t < values.size(); ++t) seen[t + 1] = seen[t] + (std::isnan(values[t]) ? 0 : 1);
    const auto context = static_cast<std::size_t>(options_.context),
               horizon = static_cast<std::size_t>(options_.horizon);
    const auto enough = [&](std::size_t first, std::size_t last, index_t least) {
      return static_cast<index_t>(seen[last] - seen[first]) >= least;
    };
    const std::uint64_t before = count_;
    bool running = false;
    for (auto cut = static_cast<std::size_t>(options_.shortest_context); cut + horizon <= values.size();
         ++cut) {
      const bool allowed = enough(cut - std::min(cut, context), cut, options_.observed_in_context) &&
                           enough(cut, cut + horizon, options_.observed_in_horizon);
      if (allowed && !running) runs_.push_back({s, c, cut, count_});
      running = allowed;
      count_ += allowed ? 1 : 0;
    }
    if (count_ > before) channels_.push_back(before);
  }

  window_options options_;
  std::vector<data::series> from_;
  std::vector<run> runs_;
  std::vector<std::uint64_t> channels_;  // number of the first window of each channel that has one
  std::uint64_t count_ = 0;
};

}  // namespace fmsb::chronos
