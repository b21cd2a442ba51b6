#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <algorithm>  // std::max_element
#include <cmath>      // std::log
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::dash {

/// How a search came to its choice: for every searched place the shares of all points, softmax(alpha), before
/// the first epoch and after each.
class trace {
 public:
  trace() = default;
  /// @param shares  [records, places, points], the last axis fastest
  /// @throws usage_error unless the numbers fit together
  trace(std::size_t places, std::size_t points, std::vector<double> shares)
      : places_(places), points_(points), shares_(std::move(shares)) {
    if (places == 0 || points == 0 || shares_.size() % (places * points) != 0)
      throw usage_error("fmsb::dash::trace: " + std::to_string(shares_.size()) +
                        " shares are no records of " + std::to_string(places) + " places of " +
                        std::to_string(points) + " points.");
  }

  std::size_t records() const { return shares_.empty() ? 0 : shares_.size() / (places_ * points_); }
  std::size_t places() const { return places_; }
  std::size_t points() const { return points_; }

  /// The shares of a place's points; they sum to 1.
  std::span<const double> shares(std::size_t record, std::size_t place) const {
    return std::span(shares_).subspan((record * places_ + place) * points_, points_);
  }
  std::span<const double> all() const { return shares_; }

  /// The point of each place with the largest share; of equal ones the first.
  std::vector<std::size_t> largest(std::size_t record) const {
    std::vector<std::size_t> found(places_);
    for (std::size_t place = 0; place < places_; ++place) {
      const auto of = shares(record, place);
      found[place] = static_cast<std::size_t>(std::max_element(of.begin(), of.end()) - of.begin());
    }
    return found;
  }

  /// How undecided a place is: the entropy of its shares over that of equal ones, from 0 (decided) to 1.
  double entropy(std::size_t record, std::size_t place) const {
    double sum = 0;
    for (const double p : shares(record, place))
      if (p > 0) sum -= p * std::log(p);
    return points_ > 1 ? sum / std::log(static_cast<double>(points_)) : 0;
  }

  /// The mean over all places.
  double entropy(std::size_t record) const {
    double sum = 0;
    for (std::size_t place = 0; place < places_; ++place) sum += entropy(record, place);
    return places_ > 0 ? sum / static_cast<double>(places_) : 0;
  }

  /// Records at the end, one after the other, in which no place changed its largest point: 1 where the last
  /// one differs from the one before it.
  std::size_t settled() const {
    std::size_t same = 0;
    while (same < records() && largest(records() - 1 - same) == largest(records() - 1)) ++same;
    return same;
  }

 private:
  std::size_t places_ = 0, points_ = 0;
  std::vector<double> shares_;
};

}  // namespace fmsb::dash
