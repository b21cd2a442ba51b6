#pragma once
#include "fmsb/core/error.hpp"  // usage_error

#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::ar {

/// Scores of candidate orders at one differencing; lower is better.
struct score_table {
  int differencing = 0;
  std::vector<std::size_t> orders;
  std::vector<double> scores;  ///< one an order; infinite where a fit was explosive
};

/// An order, a differencing, and how they scored.
struct choice {
  std::size_t order = 0;
  int differencing = 0;
  double score = std::numeric_limits<double>::infinity();
};

/// What one criterion would choose, and all that it looked at.
struct verdict {
  std::string criterion;  ///< in words, for reports: "five rolling origins"
  choice chosen;
  std::vector<score_table> tables;
  std::string remark;  ///< why, where the lowest score alone did not decide; else empty
};

/// The lowest score of a table; the smaller order where two are level.
/// @throws usage_error for a table without orders
inline choice best_of(const score_table& table) {
  if (table.orders.empty()) throw usage_error("fmsb::ar: a criterion was asked to choose among no orders.");
  choice best{.order = table.orders.front(), .differencing = table.differencing};
  for (std::size_t i = 0; i < table.orders.size(); ++i)
    if (table.scores[i] < best.score) best = {table.orders[i], table.differencing, table.scores[i]};
  return best;
}

/// The lowest score of several tables whose scores may be compared.
inline choice best_of(const std::vector<score_table>& tables) {
  choice best = best_of(tables.at(0));
  for (const auto& table : tables)
    if (const auto c = best_of(table); c.score < best.score) best = c;
  return best;
}

}  // namespace fmsb::ar
