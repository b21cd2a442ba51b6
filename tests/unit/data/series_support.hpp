#pragma once
#include "fmsb/data/series.hpp"  // series

#include "support/message.hpp"  // message_of

#include <rapidcheck.h>  // rc::gen

#include <algorithm>  // std::ranges::equal
#include <cmath>      // std::isnan
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::test {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// One channel called "x".
inline data::series one_channel(std::vector<double> values) { return {{"x"}, {}, std::move(values)}; }

/// Equal numbers, and gaps at the same places.
inline bool same_values(std::span<const double> a, std::span<const double> b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i)
    same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
  return same;
}

inline bool same_series(const data::series& a, const data::series& b) {
  bool same = a.names() == b.names() && std::ranges::equal(a.times(), b.times());
  for (std::size_t c = 0; same && c < a.channels(); ++c) same = same_values(a.channel(c), b.channel(c));
  return same;
}

/// One to four channels of one to forty rows of finite numbers of every size, about one in `gap_every`
/// a gap; never in the first row, so that no channel is without a number.
inline data::series draw_series(int gap_every = 5) {
  const auto channels = *rc::gen::inRange<std::size_t>(1, 5);
  const auto rows = *rc::gen::inRange<std::size_t>(1, 41);
  auto values = *rc::gen::container<std::vector<double>>(
      channels * rows, rc::gen::exec([=] {
        if (gap_every > 0 && *rc::gen::inRange(0, gap_every) == 0) return kGap;
        const double unit = static_cast<double>(*rc::gen::inRange(-1'000'000, 1'000'001)) / 7e5;
        return unit * std::pow(10.0, *rc::gen::inRange(-12, 13));
      }));
  for (std::size_t c = 0; c < channels; ++c)
    if (double& x = values[c * rows]; std::isnan(x)) x = 1;
  std::vector<std::string> names;
  for (std::size_t c = 0; c < channels; ++c) names.push_back("channel " + std::to_string(c));
  return {std::move(names), {}, std::move(values)};
}

}  // namespace fmsb::test
