#pragma once
#include "fmsb/core/error.hpp"        // usage_error, data_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/data/series.hpp"       // series

#include <algorithm>  // std::lower_bound
#include <cmath>      // std::abs
#include <cstddef>    // std::size_t
#include <string>     // std::string
#include <utility>    // std::move

namespace fmsb::data {

/// What a stretch of a series may be used for. It is part of the type: a search cannot receive a test part.
enum class role { train, validation, test };

/// The role as it stands in messages and reports.
constexpr const char* name_of(role r) {
  return r == role::train ? "train" : r == role::validation ? "validation" : "test";
}

/// Rows [first, last) of a longer series, and with them the knowledge of what came before: the first
/// forecast of a test part starts from rows that belong to validation.
template <role R>
class part {
 public:
  static constexpr role kind = R;

  /// @throws usage_error unless first <= last <= whole.length()
  part(series whole, std::size_t first, std::size_t last)
      : whole_(std::move(whole)), first_(first), last_(last) {
    if (first > last || last > whole_.length())
      throw usage_error(std::string(name_of(R)) + " part: rows [" + std::to_string(first) + ", " +
                        std::to_string(last) + ") do not lie within the " + std::to_string(whole_.length()) +
                        " rows of the series.");
  }

  const series& whole() const { return whole_; }
  std::size_t first() const { return first_; }
  std::size_t last() const { return last_; }
  std::size_t length() const { return last_ - first_; }

  /// The rows of this part alone.
  series rows() const { return whole_.slice(first_, last_); }

  /// The rows of this part after `rows_before` earlier ones.
  /// @throws usage_error where the series does not reach back so far
  series with_history(std::size_t rows_before) const {
    if (rows_before > first_)
      throw usage_error(std::string(name_of(R)) + " part: " + std::to_string(rows_before) +
                        " rows of history were asked for, but only " + std::to_string(first_) +
                        " rows stand before it; use a shorter context.");
    return whole_.slice(first_ - rows_before, last_);
  }

 private:
  series whole_;
  std::size_t first_, last_;
};

using train_part = part<role::train>;
using validation_part = part<role::validation>;
using test_part = part<role::test>;

/// Three consecutive parts of one series; they touch and do not overlap.
struct splits {
  train_part train;
  validation_part validation;
  test_part test;
  std::string name;  ///< how it was cut, for reports: "ett-hour", "ratio .7,.1,.2"
};

/// The first `train` rows, the next `validation`, the next `test`; the tail beyond them is in no part.
/// @throws data_error where the series is shorter than the sum
inline splits by_rows(const series& whole, std::size_t train, std::size_t validation, std::size_t test,
                      std::string name = {}) {
  const std::size_t used = train + validation + test;
  if (name.empty())
    name = "rows " + std::to_string(train) + "," + std::to_string(validation) + "," + std::to_string(test);
  if (used > whole.length())
    throw data_error("split " + name + ": " + std::to_string(train) + " + " + std::to_string(validation) +
                     " + " + std::to_string(test) + " rows are needed, but the series has " +
                     std::to_string(whole.length()) + "; use a split by ratio or by date.");
  const series kept = whole.slice(0, used);
  return {
      {kept, 0, train}, {kept, train, train + validation}, {kept, train + validation, used}, std::move(name)};
}

/// 12, 4 and 4 months of 30 days of hourly rows (8640, 2880, 2880), as ETTh1 and ETTh2 are cut in
/// Zhou et al., "Informer", AAAI 2021. @throws data_error on fewer than 14400 rows
inline splits ett_hourly(const series& whole) { return by_rows(whole, 8640, 2880, 2880, "ett-hour"); }

/// The same months of rows every quarter of an hour (34560, 11520, 11520), for ETTm1 and ETTm2.
/// @throws data_error on fewer than 57600 rows
inline splits ett_minutely(const series& whole) { return by_rows(whole, 34560, 11520, 11520, "ett-minute"); }

/// Shares of the rows: the first int(train * n), the last int(test * n), and what lies between for
/// validation, with the truncation of the custom-data loader released with Informer.
/// @throws usage_error unless all three are positive and sum to 1
/// @throws data_error where a part would have no row
inline splits by_ratio(const series& whole, double train, double validation, double test) {
  const auto print = [](double share) {
    const std::string text = number_text(share);
    return text.starts_with("0.") ? text.substr(1) : text;
  };
  const std::string name = "ratio " + print(train) + "," + print(validation) + "," + print(test);
  if (!(train > 0 && validation > 0 && test > 0) || !(std::abs(train + validation + test - 1) < 1e-9))
    throw usage_error("split " + name +
                      ": the three shares must be positive and sum to 1, such as .7,.1,.2.");
  const auto n = static_cast<double>(whole.length());
  const auto train_rows = static_cast<std::size_t>(n * train);
  const auto test_rows = static_cast<std::size_t>(n * test);
  const std::size_t validation_rows = whole.length() - train_rows - test_rows;
  if (train_rows == 0 || validation_rows == 0 || test_rows == 0)
    throw data_error("split " + name + ": " + std::to_string(whole.length()) +
                     " rows are too few to give each part one.");
  return by_rows(whole, train_rows, validation_rows, test_rows, name);
}

/// Train before `validation_from`, test from `test_from` on, validation between.
/// @throws usage_error where the series has no timestamps or a part would have no row
inline splits by_date(const series& whole, timestamp validation_from, timestamp test_from) {
  const auto times = whole.times();
  if (times.empty())
    throw usage_error("split by date: the series has no timestamps; use a split by ratio or by rows.");
  const auto row_of = [&](timestamp when) {
    return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), when) - times.begin());
  };
  const std::size_t validation = row_of(validation_from), test = row_of(test_from);
  if (validation == 0 || validation >= test || test >= whole.length())
    throw usage_error("split by date: validation would start at row " + std::to_string(validation) +
                      " and test at row " + std::to_string(test) + " of " + std::to_string(whole.length()) +
                      "; both dates must lie within the series, validation's first.");
  return by_rows(whole, validation, test - validation, whole.length() - test, "date");
}

}  // namespace fmsb::data
