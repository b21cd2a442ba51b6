#pragma once
#include "fmsb/core/error.hpp"   // data_error
#include "fmsb/data/series.hpp"  // timestamp

#include <algorithm>    // std::nth_element
#include <chrono>       // std::chrono::year_month_day
#include <cstddef>      // std::size_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace fmsb::data {

namespace detail {

/// Takes one to `most` digits off the front; -1 where there is none.
inline int take_digits(std::string_view& text, std::size_t most) {
  int value = -1;
  for (std::size_t i = 0; i < most && !text.empty() && text.front() >= '0' && text.front() <= '9'; ++i) {
    value = (value < 0 ? 0 : value * 10) + (text.front() - '0');
    text.remove_prefix(1);
  }
  return value;
}

inline bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace detail

/// Reads `2016-07-01`, `2016-07-01 05:30`, `2016-07-01T05:30:15`, the same with `/` for `-`, with or without
/// leading zeros, with zeros for a fraction of a second and with `Z` or `+02:00` behind a time. Without a
/// zone, the clock is taken to be UTC. Nothing for any other text, and for a date that no calendar has.
inline std::optional<timestamp> parse_timestamp(std::string_view text) {
  using detail::take, detail::take_digits;
  if (text.size() < 8 || text[4] < '-' || text[4] > '/') return std::nullopt;
  const char separator = text[4];
  const int year = take_digits(text, 4);
  if (year < 0 || separator == '.' || !take(text, separator)) return std::nullopt;
  const int month = take_digits(text, 2);
  if (month < 1 || !take(text, separator)) return std::nullopt;
  const int day = take_digits(text, 2);
  if (day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  timestamp seconds = timestamp{std::chrono::sys_days{date}.time_since_epoch().count()} * 86400;
  if (text.empty()) return seconds;

  if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return std::nullopt;
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  if (take(text, ':')) {
    second = take_digits(text, 2);
    if (second < 0 || second > 59) return std::nullopt;
    if (take(text, '.') && take_digits(text, 9) != 0)
      return std::nullopt;  // a timestamp counts whole seconds
  }
  seconds += hour * 3600 + minute * 60 + second;
  if (text.empty() || (take(text, 'Z') && text.empty())) return seconds;

  const int sign = take(text, '+') ? -1 : take(text, '-') ? 1 : 0;
  const int zone_hour = take_digits(text, 2);
  if (sign == 0 || zone_hour < 0 || zone_hour > 14 || !take(text, ':')) return std::nullopt;
  const int zone_minute = take_digits(text, 2);
  if (zone_minute < 0 || zone_minute > 59 || !text.empty()) return std::nullopt;
  return seconds + sign * (zone_hour * 3600 + zone_minute * 60);
}

namespace detail {

struct civil_time {
  std::chrono::year_month_day date;
  timestamp second_of_day;
};

inline civil_time civil(timestamp when) {
  const timestamp second = ((when % 86400) + 86400) % 86400;
  const auto days = static_cast<int>((when - second) / 86400);
  return {std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{days}}}, second};
}

inline bool ends_month(const std::chrono::year_month_day& date) {
  return date.day() == std::chrono::year_month_day{date.year() / date.month() / std::chrono::last}.day();
}

inline int month_number(const std::chrono::year_month_day& date) {
  return static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

}  // namespace detail

namespace detail {

inline std::string zero_padded(int value, std::size_t digits) {
  std::string text = std::to_string(value < 0 ? -value : value);
  text.insert(0, text.size() < digits ? digits - text.size() : 0, '0');
  return value < 0 ? "-" + text : text;
}

}  // namespace detail

/// `2016-07-01`, the day of a timestamp.
inline std::string print_date(timestamp when) {
  const auto date = detail::civil(when).date;
  return detail::zero_padded(static_cast<int>(date.year()), 4) + "-" +
         detail::zero_padded(static_cast<int>(static_cast<unsigned>(date.month())), 2) + "-" +
         detail::zero_padded(static_cast<int>(static_cast<unsigned>(date.day())), 2);
}

/// `2016-07-01 05:30:00`, which `parse_timestamp` reads back.
inline std::string print_timestamp(timestamp when) {
  const auto second = static_cast<int>(detail::civil(when).second_of_day);
  return print_date(when) + " " + detail::zero_padded(second / 3600, 2) + ":" +
         detail::zero_padded(second / 60 % 60, 2) + ":" + detail::zero_padded(second % 60, 2);
}

/// The distance between two rows: a number of seconds, or of calendar months (which differ in length).
/// Exactly one of the two is positive.
struct time_step {
  timestamp seconds = 0;
  int months = 0;
  bool month_end = false;  ///< with months: every row stands on the last day of its month

  bool operator==(const time_step&) const = default;
};

/// `hourly`, `daily`, `every 10 minutes`, `every 3 months`.
inline std::string print_step(time_step step) {
  const auto every = [](timestamp count, const char* unit, const char* alone) {
    return count == 1 ? std::string(alone) : "every " + std::to_string(count) + " " + unit;
  };
  if (step.months > 0)
    return step.months % 12 == 0 ? every(step.months / 12, "years", "yearly")
                                 : every(step.months, "months", "monthly");
  if (step.seconds % 604800 == 0) return every(step.seconds / 604800, "weeks", "weekly");
  if (step.seconds % 86400 == 0) return every(step.seconds / 86400, "days", "daily");
  if (step.seconds % 3600 == 0) return every(step.seconds / 3600, "hours", "hourly");
  if (step.seconds % 60 == 0) return every(step.seconds / 60, "minutes", "every minute");
  return every(step.seconds, "seconds", "every second");
}

/// How the rows of a series lie in time.
struct spacing {
  time_step step;              ///< what separates most neighbouring rows
  std::size_t jumps = 0;       ///< places where the distance is another
  std::size_t first_jump = 0;  ///< the row after the first of them, counted from 0; 0 where there is none
  std::size_t absent = 0;      ///< rows that would have to be put in to make the spacing even

  bool regular() const { return jumps == 0; }
};

/// Finds the step that separates more than half of the neighbouring rows, and where it is broken.
/// @param times  at least two, none before the one above it; a repeated one counts as a jump
/// @throws data_error on fewer than two rows, timestamps that go back, or no prevailing step
inline spacing find_spacing(std::span<const timestamp> times) {
  if (times.size() < 2)
    throw data_error("time step: " + std::to_string(times.size()) +
                     " timestamps do not tell the distance between rows; two are needed.");
  std::vector<timestamp> distances(times.size() - 1);
  const auto origin = detail::civil(times.front());
  bool same_day = times.size() > 2, month_end = same_day && detail::ends_month(origin.date);
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    distances[i] = times[i + 1] - times[i];
    if (distances[i] < 0)
      throw data_error("time step: timestamp " + std::to_string(i + 2) + " (" +
                       print_timestamp(times[i + 1]) +
                       ") comes before the one above it; sort the rows by time.");
    if (distances[i] < 28 * 86400) same_day = month_end = false;  // spares the calendar on long series
    if (same_day || month_end) {
      const auto here = detail::civil(times[i + 1]);
      const bool same_clock = here.second_of_day == origin.second_of_day;
      same_day = same_day && same_clock && here.date.day() == origin.date.day();
      month_end = month_end && same_clock && detail::ends_month(here.date);
    }
  }

  auto middle = distances;
  const auto median = middle.begin() + static_cast<std::ptrdiff_t>(middle.size() / 2);
  std::nth_element(middle.begin(), median, middle.end());
  spacing out{.step = {.seconds = *median}};
  if ((same_day || month_end) &&
      std::any_of(distances.begin(), distances.end(), [&](timestamp d) { return d != distances[0]; })) {
    for (std::size_t i = 0; i < distances.size(); ++i)
      distances[i] = detail::month_number(detail::civil(times[i + 1]).date) -
                     detail::month_number(detail::civil(times[i]).date);
    middle = distances;
    std::nth_element(middle.begin(), median, middle.end());
    out.step = {.months = static_cast<int>(*median), .month_end = month_end};
  }
  const timestamp usual = *median;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    if (distances[i] == usual) continue;
    if (out.jumps++ == 0) out.first_jump = i + 1;
    if (usual > 0 && distances[i] > usual)
      out.absent += static_cast<std::size_t>((distances[i] + usual / 2) / usual - 1);
  }
  if (usual == 0 || 2 * out.jumps >= distances.size())
    throw data_error("time step: the rows have no prevailing distance in time (" + std::to_string(out.jumps) +
                     " of " + std::to_string(distances.size()) + " distances differ from the middle one, " +
                     std::to_string(usual) + (out.step.months > 0 ? " months" : " seconds") +
                     "); bring the series to an even spacing first.");
  return out;
}

/// `when` moved on by `count` steps. A month without that day gives its last day.
inline timestamp advance(timestamp when, time_step step, std::size_t count) {
  const auto n = static_cast<timestamp>(count);
  if (step.months == 0) return when + n * step.seconds;
  const auto here = detail::civil(when);
  const int month = detail::month_number(here.date) + static_cast<int>(n) * step.months;
  const std::chrono::year_month to{std::chrono::year{month / 12},
                                   std::chrono::month{static_cast<unsigned>(month % 12 + 1)}};
  const auto last = std::chrono::year_month_day{to / std::chrono::last}.day();
  const std::chrono::year_month_day date{to / (step.month_end ? last : std::min(here.date.day(), last))};
  return timestamp{std::chrono::sys_days{date}.time_since_epoch().count()} * 86400 + here.second_of_day;
}

/// The `count` timestamps that follow the series, by its prevailing step; for the rows of a forecast.
/// @throws data_error as find_spacing
inline std::vector<timestamp> next_timestamps(std::span<const timestamp> times, std::size_t count) {
  const time_step step = find_spacing(times).step;
  std::vector<timestamp> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = advance(times.back(), step, i + 1);
  return out;
}

}  // namespace fmsb::data
