#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <algorithm>  // std::copy
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <memory>     // std::shared_ptr
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

/// Seconds since 1970-01-01T00:00:00Z.
using timestamp = std::int64_t;

/// Several channels over one stretch of time: doubles of shape [channels, time].
///
/// Immutable; copies and slices share their storage, so both cost nothing. The spans of `channel` and `times`
/// live as long as a series that shares it: keep the series, not only the span. Each channel is contiguous in
/// time. A gap is a quiet NaN. Timestamps may be absent (then `times()` is empty); the class asks nothing of
/// their order, because a concatenation may repeat a stretch: the readers do.
class series {
 public:
  /// No channels and no rows.
  series() : series({}, {}, {}) {}

  /// @param names   one name a channel
  /// @param times   one timestamp a row, or none at all
  /// @param values  channel after channel: `values[c * length + t]`
  /// @throws usage_error where the three sizes do not fit one another
  series(std::vector<std::string> names, std::vector<timestamp> times, std::vector<double> values) {
    const std::size_t count = names.size();
    if (count == 0 ? !values.empty() : values.size() % count != 0)
      throw usage_error("series: " + std::to_string(values.size()) +
                        " values cannot be shared evenly among " + std::to_string(count) +
                        " named channels; give channels x rows values.");
    const std::size_t rows = count == 0 ? 0 : values.size() / count;
    if (!times.empty() && times.size() != rows)
      throw usage_error("series: " + std::to_string(times.size()) + " timestamps for " +
                        std::to_string(rows) + " rows; give one timestamp a row, or none at all.");
    storage_ =
        std::make_shared<const storage>(storage{std::move(names), std::move(times), std::move(values), rows});
    last_ = rows;
  }

  std::size_t channels() const { return storage_->names.size(); }
  /// Rows of this stretch.
  std::size_t length() const { return last_ - first_; }
  bool empty() const { return channels() == 0 || length() == 0; }

  /// The values of channel `c`, contiguous in time. @throws usage_error if there is no such channel
  std::span<const double> channel(std::size_t c) const {
    if (c >= channels())
      throw usage_error("series::channel: channel " + std::to_string(c) + " was asked for; the series has " +
                        std::to_string(channels()) + ", counted from 0.");
    return std::span(storage_->values).subspan(c * storage_->rows + first_, length());
  }

  const std::vector<std::string>& names() const { return storage_->names; }

  /// One timestamp a row; empty where the series has none.
  std::span<const timestamp> times() const {
    if (storage_->times.empty()) return {};
    return std::span(storage_->times).subspan(first_, length());
  }

  /// Rows [first, last), counted within this stretch; O(1). @throws usage_error beyond the last row
  series slice(std::size_t first, std::size_t last) const {
    if (first > last || last > length())
      throw usage_error("series::slice: rows [" + std::to_string(first) + ", " + std::to_string(last) +
                        ") do not lie within the " + std::to_string(length()) + " rows of the series.");
    series out = *this;
    out.first_ = first_ + first;
    out.last_ = first_ + last;
    return out;
  }

  /// A copy of the given channels, in the given order. @throws usage_error if there is no such channel
  series select(std::span<const std::size_t> channels) const {
    std::vector<std::string> names;
    std::vector<double> values;
    values.reserve(channels.size() * length());
    for (const std::size_t c : channels) {
      const auto from = channel(c);
      values.insert(values.end(), from.begin(), from.end());
      names.push_back(storage_->names[c]);
    }
    const auto stamps = channels.empty() ? std::span<const timestamp>{} : times();
    return {std::move(names), {stamps.begin(), stamps.end()}, std::move(values)};
  }

 private:
  struct storage {
    std::vector<std::string> names;
    std::vector<timestamp> times;
    std::vector<double> values;
    std::size_t rows = 0;
  };

  std::shared_ptr<const storage> storage_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

/// `a` followed by `b` along time. Timestamps are kept where both have them.
/// @throws usage_error unless both have the same channel names in the same order
inline series concatenate(const series& a, const series& b) {
  if (a.names() != b.names())
    throw usage_error("concatenate: the two series do not have the same channels (" +
                      std::to_string(a.channels()) + " and " + std::to_string(b.channels()) +
                      "); names and their order must agree.");
  const std::size_t rows = a.length() + b.length();
  std::vector<double> values(a.channels() * rows);
  for (std::size_t c = 0; c < a.channels(); ++c) {
    const auto head = a.channel(c), tail = b.channel(c);
    const auto middle = std::copy(head.begin(), head.end(), values.data() + c * rows);
    std::copy(tail.begin(), tail.end(), middle);
  }
  std::vector<timestamp> times;
  const bool a_timed = a.length() == 0 || !a.times().empty(), b_timed = b.length() == 0 || !b.times().empty();
  if (a_timed && b_timed) {
    times.assign(a.times().begin(), a.times().end());
    times.insert(times.end(), b.times().begin(), b.times().end());
  }
  return {a.names(), std::move(times), std::move(values)};
}

}  // namespace fmsb::data
