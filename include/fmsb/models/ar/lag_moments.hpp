#pragma once
#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/core/isa.hpp"             // isa::run
#include "fmsb/data/series.hpp"          // data::series
#include "fmsb/models/ar/correlate.hpp"  // correlate

#include <algorithm>  // std::min
#include <cmath>      // std::isnan, std::pow
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::ar {

/// Everything that least squares on lags 0..L needs to know about a data set, in O(channels x L)
/// memory: second moments against lag 0, and the first and last L values of every segment.
///
/// A sample is a time t that has L values before it. The Gram matrix over all samples,
/// G_ij = sum x(t-i) x(t-j), follows from row 0 by displacement: moving both lags by one step changes
/// the sum only at the ends of a segment (see `lag_gram`). Hence states can be extended by a tick or a
/// block, forgotten by a factor, and merged, and every one of these equals the batch.
///
/// A NaN is a gap: the segment of its channel ends before it, and no sample spans it. Other values must be
/// finite.
///
/// A forgetting factor divides the recursion once a lag, so rounding grows by forgetting^-lags. Factors for
/// which that exceeds 1e4 are refused; they would weigh fewer values than there are lags anyway.
class lag_moments {
 public:
  /// The values at both ends of one segment, as the displacement needs them.
  struct edges {
    std::vector<double> head;  ///< [lags], head[i] = x(first sample - 1 - i)
    std::vector<double> tail;  ///< [lags], tail[i] = x(last sample - i)
    double head_weight = 1;
    double tail_weight = 1;
  };

  /// @param channels  series that arrive together
  /// @param lags      L >= 0, the largest lag
  /// @param forgetting  in (0, 1]: the factor by which a sample's weight shrinks with every later tick
  /// @throws usage_error when `forgetting` is outside (0, 1] or forgetting^lags is below 1e-4
  lag_moments(std::size_t channels, std::size_t lags, double forgetting = 1)
      : lags_(lags), forgetting_(forgetting), row_(lags + 1, 0.0), open_(channels) {
    if (!(forgetting > 0 && forgetting <= 1))
      throw usage_error("fmsb::ar::lag_moments: forgetting must lie in (0, 1]; got " +
                        std::to_string(forgetting) + ".");
    if (std::pow(forgetting, static_cast<double>(lags)) < 1e-4)
      throw usage_error("fmsb::ar::lag_moments: with a forgetting of " + std::to_string(forgetting) +
                        " a value " + std::to_string(lags) +
                        " ticks old weighs less than 1e-4; use fewer lags or a forgetting nearer to 1.");
    for (auto& s : open_) s.buffer.assign(capacity(), 0.0), s.newest = capacity();
  }

  /// The moments of a whole series.
  static lag_moments of(const data::series& x, std::size_t lags) {
    lag_moments m(x.channels(), lags);
    m.append(x);
    return m;
  }

  std::size_t lags() const { return lags_; }
  std::size_t channels() const { return open_.size(); }
  double forgetting() const { return forgetting_; }
  /// Weighted number of samples over all channels.
  double count() const { return count_; }
  /// sum x(t) over all samples.
  double sum() const { return sum_; }
  /// sum x(t) x(t-k) over all samples, k = 0..lags.
  std::span<const double> row() const { return row_; }

  /// The newest values of a channel since its last gap, newest first: at most lags + 1.
  std::span<const double> newest(std::size_t channel) const {
    const auto& s = open_.at(channel);
    return std::span(s.buffer).subspan(s.newest, std::min(s.seen, lags_ + 1));
  }

  /// One value a channel, O(channels x lags); NaN where a channel has none.
  void tick(std::span<const double> values) {
    require_channels(values.size());
    for (std::size_t c = 0; c < values.size(); ++c)
      if (std::isnan(values[c])) end_segment(c);
    decay();
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (std::isnan(values[c])) continue;
      auto& s = open_[c];
      push(s, values[c]);
      if (s.seen <= lags_) continue;
      isa::run<tick_kernel>(row_.data(), s.buffer.data() + s.newest, row_.size());
      sum_ += values[c];
      count_ += 1;
    }
  }

  /// The next stretch of every channel: the same state as ticking through it.
  void append(const data::series& block) {
    require_channels(block.channels());
    if (forgetting_ != 1) return tick_through(block);
    for (std::size_t c = 0; c < open_.size(); ++c) {
      auto rest = block.channel(c);
      while (!rest.empty()) {
        const auto gap = std::find_if(rest.begin(), rest.end(), [](double v) { return std::isnan(v); });
        const auto known = static_cast<std::size_t>(gap - rest.begin());
        append_run(open_[c], rest.first(known));
        rest = rest.subspan(known);
        if (rest.empty()) break;
        end_segment(c);
        rest = rest.subspan(1);
      }
    }
  }

  /// The next value of `channel` does not follow its last one: the segment ends here.
  void end_segment(std::size_t channel) {
    auto& s = open_.at(channel);
    if (s.seen > lags_) closed_.push_back(ends_of(s));
    s.head.clear();
    s.head_weight = 1;
    s.seen = 0;
    s.newest = capacity();
  }

  /// Adds what `other` has seen, as segments of their own: no sample spans both states. Under forgetting both
  /// states are taken to end at the same time. What comes next continues this state, not the other.
  /// @throws usage_error when lags or forgetting differ
  void merge(const lag_moments& other) {
    if (other.lags_ != lags_ || other.forgetting_ != forgetting_)
      throw usage_error("fmsb::ar::lag_moments::merge: both states need the same lags and forgetting; got " +
                        std::to_string(lags_) + " lags at " + std::to_string(forgetting_) + " and " +
                        std::to_string(other.lags_) + " lags at " + std::to_string(other.forgetting_) + ".");
    const auto ends = other.segments();
    for (std::size_t k = 0; k < row_.size(); ++k) row_[k] += other.row_[k];
    sum_ += other.sum_;
    count_ += other.count_;
    closed_.insert(closed_.end(), ends.begin(), ends.end());
  }

  /// Multiplies the weight of all that was seen so far. The weights then jump between the last value
  /// and the next, so every open segment is closed here and goes on with its newest values as history:
  /// memory grows by 2 x lags a channel with each call. For a steady decay use `forgetting`. With factor 0
  /// nothing is left but that history, and the memory is given back.
  /// @throws usage_error when `factor` is negative or not finite
  void forget(double factor) {
    if (!(factor >= 0 && std::isfinite(factor)))
      throw usage_error("fmsb::ar::lag_moments::forget: the factor must be a finite number from 0 on; got " +
                        std::to_string(factor) + ".");
    for (auto& s : open_) {
      if (s.seen <= lags_) continue;
      closed_.push_back(ends_of(s));
      s.head.assign(closed_.back().tail.rbegin(), closed_.back().tail.rend());
      s.head_weight = 1;
      s.seen = lags_;
    }
    scale(factor);
    if (factor == 0) closed_.clear();
  }

  /// The ends of every segment that holds at least one sample.
  std::vector<edges> segments() const {
    auto all = closed_;
    for (const auto& s : open_)
      if (s.seen > lags_) all.push_back(ends_of(s));
    return all;
  }

  /// Presents every number of the state to `archive(name, value)`, by reference; vectors have their final
  /// size. What saves reads the values, what loads writes them into a state made with the same channels, lags
  /// and forgetting.
  template <class Archive>
  void each_field(Archive&& archive) {
    archive("count", count_);
    archive("sum", sum_);
    archive("row", row_);
    for (auto& s : open_) {
      archive("seen", s.seen);
      s.head.resize(std::min(s.seen, lags_));
      archive("head", s.head);
      archive("head_weight", s.head_weight);
      std::vector<double> recent(std::min(s.seen, lags_ + 1));
      const std::size_t held = std::min(recent.size(), capacity() - s.newest);
      std::copy_n(s.buffer.begin() + static_cast<std::ptrdiff_t>(s.newest), held, recent.begin());
      archive("newest", recent);
      s.newest = capacity() - recent.size();
      std::copy(recent.begin(), recent.end(), s.buffer.begin() + static_cast<std::ptrdiff_t>(s.newest));
    }
    std::size_t closed = closed_.size();
    archive("closed", closed);
    for (std::size_t i = 0; i < closed; ++i) {
      if (i == closed_.size()) closed_.push_back({std::vector<double>(lags_), std::vector<double>(lags_)});
      auto& e = closed_[i];
      archive("head", e.head);
      archive("tail", e.tail);
      archive("head_weight", e.head_weight);
      archive("tail_weight", e.tail_weight);
    }
  }

 private:
  struct open_segment {
    std::vector<double> head;    // the first `lags` values, oldest first
    std::vector<double> buffer;  // the newest values, newest first, from index `newest`
    std::size_t newest = 0;
    std::size_t seen = 0;
    double head_weight = 1;
  };

  struct tick_kernel {
    template <int Lanes>
    FMSB_KERNEL void run(double* row, const double* newest, std::size_t count) {
      const double x = newest[0];
      for (std::size_t k = 0; k < count; ++k) row[k] += x * newest[k];
    }
  };

  std::size_t capacity() const { return 2 * (lags_ + 1) + 64; }

  // Writes downwards so that the newest values are contiguous, newest first; moved up when it is full.
  void push(open_segment& s, double value, bool to_head = true) {
    if (s.newest == 0) {
      const std::size_t kept = std::min(s.seen, lags_ + 1);
      std::copy_backward(s.buffer.begin(), s.buffer.begin() + static_cast<std::ptrdiff_t>(kept),
                         s.buffer.end());
      s.newest = capacity() - kept;
    }
    s.buffer[--s.newest] = value;
    if (to_head && s.head.size() < lags_) s.head.push_back(value);
    ++s.seen;
  }

  void append_run(open_segment& s, std::span<const double> x) {
    const std::size_t known = std::min(s.seen, lags_), n = x.size();
    if (n == 0) return;
    std::vector<double> joined(known + n);
    for (std::size_t i = 0; i < known; ++i) joined[known - 1 - i] = s.buffer[s.newest + i];
    std::copy(x.begin(), x.end(), joined.begin() + static_cast<std::ptrdiff_t>(known));
    if (joined.size() > lags_) {
      const std::span<const double> targets(joined.data() + lags_, joined.size() - lags_);
      std::vector<double> reversed(row_.size(), 0.0);
      correlate(reversed, targets, joined.data());  // reversed[j] pairs x(t) with x(t - lags + j)
      for (std::size_t k = 0; k < row_.size(); ++k) row_[k] += reversed[lags_ - k];
      double total = 0;
      for (double v : targets) total += v;
      sum_ += total;
      count_ += static_cast<double>(targets.size());
    }
    const std::size_t fresh = std::min(n, lags_ + 1);
    for (std::size_t t = 0; s.head.size() < lags_ && t < n; ++t) s.head.push_back(x[t]);
    for (std::size_t t = n - fresh; t < n; ++t) push(s, x[t], false);
    s.seen += n - fresh;
  }

  edges ends_of(const open_segment& s) const {
    const auto newest = s.buffer.begin() + static_cast<std::ptrdiff_t>(s.newest);
    return {.head = {s.head.rbegin(), s.head.rend()},
            .tail = {newest, newest + static_cast<std::ptrdiff_t>(lags_)},
            .head_weight = s.head_weight};
  }

  void scale(double factor) {
    for (auto& r : row_) r *= factor;
    sum_ *= factor;
    count_ *= factor;
    for (auto& e : closed_) e.head_weight *= factor, e.tail_weight *= factor;
  }

  // The tail of an open segment is always new; its head ages from the first sample on.
  void decay() {
    if (forgetting_ == 1) return;
    scale(forgetting_);
    for (auto& s : open_)
      if (s.seen >= lags_) s.head_weight *= forgetting_;
  }

  void tick_through(const data::series& block) {
    std::vector<double> values(open_.size());
    for (std::size_t t = 0; t < block.length(); ++t) {
      for (std::size_t c = 0; c < values.size(); ++c) values[c] = block.channel(c)[t];
      tick(values);
    }
  }

  void require_channels(std::size_t given) const {
    if (given != open_.size())
      throw usage_error("fmsb::ar::lag_moments: this state follows " + std::to_string(open_.size()) +
                        " channels; got " + std::to_string(given) + ".");
  }

  std::size_t lags_;
  double forgetting_;
  double count_ = 0;
  double sum_ = 0;
  std::vector<double> row_;
  std::vector<open_segment> open_;
  std::vector<edges> closed_;
};

}  // namespace fmsb::ar
