#pragma once
#include "fmsb/search/dash/trace.hpp"  // trace

#include <algorithm>  // std::stable_sort
#include <cmath>      // std::log
#include <cstddef>    // std::size_t
#include <numeric>    // std::iota
#include <queue>      // std::priority_queue
#include <set>        // std::set
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::dash {

/// The likeliest architectures of a record, the likeliest first: those with the largest products of shares,
/// one point a place. The first is `of.largest(record)`.
///
/// Best-first: from an architecture one place at a time goes to its next-best point, which never makes the
/// product larger, so that the queue's first is the next of all.
///
/// @param count  how many; fewer where there are no more
/// @return [count][places], indices of points
inline std::vector<std::vector<std::size_t>> likeliest(const trace& of, std::size_t record,
                                                       std::size_t count) {
  const std::size_t places = of.places(), points = of.points();
  std::vector<std::vector<std::size_t>> order(places, std::vector<std::size_t>(points));
  for (std::size_t place = 0; place < places; ++place) {
    std::iota(order[place].begin(), order[place].end(), std::size_t{0});
    const auto shares = of.shares(record, place);
    std::stable_sort(order[place].begin(), order[place].end(),
                     [&](std::size_t a, std::size_t b) { return shares[a] > shares[b]; });
  }
  using ranks = std::vector<std::size_t>;  // of each place, 0 its best
  const auto log_product = [&](const ranks& r) {
    double sum = 0;
    for (std::size_t place = 0; place < places; ++place)
      sum += std::log(of.shares(record, place)[order[place][r[place]]]);
    return sum;
  };
  struct candidate {
    double score;
    ranks at;
    bool operator<(const candidate& other) const {  // of equal scores that of lower ranks comes first
      return score < other.score || (score == other.score && at > other.at);
    }
  };
  std::priority_queue<candidate> queue;
  std::set<ranks> seen;
  const auto put = [&](ranks r) {
    if (seen.insert(r).second) queue.push({log_product(r), std::move(r)});
  };
  std::vector<std::vector<std::size_t>> found;
  if (places > 0) put(ranks(places, 0));
  while (!queue.empty() && found.size() < count) {
    const auto best = queue.top();
    queue.pop();
    found.emplace_back(places);
    for (std::size_t place = 0; place < places; ++place) {
      found.back()[place] = order[place][best.at[place]];
      if (best.at[place] + 1 == points) continue;
      auto next = best.at;
      ++next[place];
      put(std::move(next));
    }
  }
  return found;
}

}  // namespace fmsb::dash
