#pragma once
#include "fmsb/core/error.hpp"            // usage_error, data_error
#include "fmsb/data/series.hpp"           // series
#include "fmsb/data/splits.hpp"           // part
#include "fmsb/evaluate/forecasting.hpp"  // error_accumulator

#include <cmath>    // std::isnan
#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <span>     // std::span
#include <string>   // std::string
#include <vector>   // std::vector

/// Forecasts that need no model, scored over every stride-1 window of a part: what any model must beat.
///
/// A window is an origin o (the last row that the forecast may see) and its next `horizon` rows, all of which
/// lie within the part: length - horizon + 1 windows a channel. Each of these forecasts is a row of the past,
/// or of a mean of the past, so the errors of one step over all windows are the difference of two stretches
/// of memory, and no window is ever laid out. Cost: 4 flops an error.
namespace fmsb::metrics {

namespace detail {

template <data::role R>
void require_windows(const data::part<R>& rows, std::size_t horizon, std::size_t history, const char* what) {
  if (horizon == 0) throw usage_error(std::string(what) + ": a horizon of 0 steps has nothing to forecast.");
  if (rows.length() < horizon)
    throw data_error(std::string(what) + ": the " + data::name_of(R) + " part has " +
                     std::to_string(rows.length()) + " rows, fewer than the horizon of " +
                     std::to_string(horizon) + "; shorten the horizon.");
  if (rows.first() < history)
    throw data_error(std::string(what) + ": " + std::to_string(history) +
                     " rows of the past are needed, but only " + std::to_string(rows.first()) +
                     " stand before the " + data::name_of(R) + " part.");
}

/// Errors where step h from the window that starts at row o is forecast as base[o + lead(h)].
///
/// @param base_of  base_of(channel values) gives the rows that forecasts are read from
/// @param lead     lead(h), added to the window's first row
template <data::role R, class BaseOf, class Lead>
forecast_errors score_shifted(const data::part<R>& rows, std::size_t horizon, BaseOf base_of, Lead lead) {
  error_accumulator errors(horizon);
  const std::size_t windows = rows.length() - horizon + 1;
  for (std::size_t c = 0; c < rows.whole().channels(); ++c) {
    const std::span<const double> target = rows.whole().channel(c);
    const std::vector<double> base = base_of(target);
    for (std::size_t h = 0; h < horizon; ++h) {
      const double* const truth = target.data() + rows.first() + h;
      const double* const forecast = base.data() + static_cast<std::ptrdiff_t>(rows.first()) + lead(h);
      errors.add_sums(h, sum_errors(windows, [=](std::size_t i) { return truth[i] - forecast[i]; }));
    }
  }
  return errors.result();
}

}  // namespace detail

/// The last known value, held over the horizon.
/// @throws data_error where the part is shorter than the horizon or nothing stands before it
template <data::role R>
forecast_errors last_value(const data::part<R>& rows, std::size_t horizon) {
  detail::require_windows(rows, horizon, 1, "last value");
  const auto held = [](std::span<const double> values) {
    std::vector<double> base(values.begin(), values.end());
    for (std::size_t t = 1; t < base.size(); ++t)
      if (std::isnan(base[t])) base[t] = base[t - 1];
    return base;
  };
  return detail::score_shifted(rows, horizon, held, [](std::size_t) { return std::ptrdiff_t{-1}; });
}

/// The value one season ago, the last season repeated as often as the horizon asks.
/// @param season  rows a season, as 24 for hourly rows with a daily cycle
/// @throws usage_error on a season of 0; data_error where too few rows stand before the part or in it
template <data::role R>
forecast_errors seasonal_naive(const data::part<R>& rows, std::size_t horizon, std::size_t season) {
  if (season == 0) throw usage_error("seasonal naive: a season of 0 rows repeats nothing; it is 1 or more.");
  detail::require_windows(rows, horizon, season, "seasonal naive");
  const auto same = [](std::span<const double> values) {
    return std::vector<double>(values.begin(), values.end());
  };
  return detail::score_shifted(rows, horizon, same, [=](std::size_t h) {
    return static_cast<std::ptrdiff_t>(h % season) - static_cast<std::ptrdiff_t>(season);
  });
}

/// The mean of the context's values at the same place in the season: for hourly rows and a season of 24, the
/// average day. Takes as many whole seasons as the context holds; gaps are left out of the mean.
/// @param season   rows a season
/// @param context  rows before the window that may be used
/// @throws usage_error unless the context holds a season; data_error where too few rows stand before the part
/// or in it
template <data::role R>
forecast_errors average_season(const data::part<R>& rows, std::size_t horizon, std::size_t season,
                               std::size_t context) {
  if (season == 0 || context < season)
    throw usage_error("average season: a context of " + std::to_string(context) +
                      " rows holds no whole season of " + std::to_string(season) + " rows.");
  detail::require_windows(rows, horizon, context, "average season");
  const std::size_t seasons = context / season;
  const auto mean = [&](std::span<const double> values) {
    std::vector<double> base(values.size() + season, std::numeric_limits<double>::quiet_NaN());
    // Row t of the base is the mean of the values one, two, ... seasons before t.
    for (std::size_t t = seasons * season; t < base.size(); ++t) {
      double sum = 0, count = 0;
      for (std::size_t back = season; back <= seasons * season; back += season) {
        if (t - back >= values.size()) continue;
        const double x = values[t - back];
        sum += std::isnan(x) ? 0 : x;
        count += std::isnan(x) ? 0 : 1;
      }
      base[t] = sum / count;
    }
    return base;
  };
  return detail::score_shifted(rows, horizon, mean,
                               [=](std::size_t h) { return static_cast<std::ptrdiff_t>(h % season); });
}

}  // namespace fmsb::metrics
