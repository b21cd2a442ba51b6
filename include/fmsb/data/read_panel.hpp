#pragma once
#include "fmsb/core/error.hpp"          // data_error, usage_error
#include "fmsb/core/number_text.hpp"    // number_text
#include "fmsb/data/csv.hpp"            // parse_csv
#include "fmsb/data/csv_cells.hpp"      // csv_cursor, parse_number
#include "fmsb/data/file_bytes.hpp"     // read_bytes
#include "fmsb/data/panel.hpp"          // panel
#include "fmsb/data/series.hpp"         // series, timestamp
#include "fmsb/data/text_encoding.hpp"  // to_utf8
#include "fmsb/data/timestamps.hpp"     // parse_timestamp

#include <algorithm>      // std::find
#include <cmath>          // std::floor
#include <cstddef>        // std::size_t
#include <filesystem>     // std::filesystem::path
#include <limits>         // std::numeric_limits
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move
#include <vector>         // std::vector

namespace fmsb::data {

/// What becomes of rows that are absent between an id's first and last.
enum class absent_rows {
  become_gaps,  ///< every channel gets a gap there
  refused,      ///< they are an error
};

/// How a long table of many series is to be read.
struct panel_options {
  std::string id{};    ///< the column that tells whose row it is; any text
  std::string time{};  ///< the column of times: whole numbers of steps, or timestamps
  /// Seconds from row to row. A time column of numbers counts steps of this length.
  timestamp step = 3600;
  absent_rows absent = absent_rows::become_gaps;
  std::vector<std::string> columns{};  ///< the channels wanted; every other named column where empty
  std::vector<std::string> missing{};  ///< words that stand for a gap; an empty cell always does
  char delimiter = ',';
};

namespace detail {

/// The steps of rows between two of one id beyond which a typing error is more likely than a pause.
inline constexpr timestamp kLongestLeap = 100'000;

class panel_reader {
 public:
  panel_reader(std::string file, std::string_view text, const panel_options& options)
      : file_(std::move(file)), options_(options), text_(text), cells_(text, options.delimiter, file_) {
    if (options.id.empty() || options.time.empty() || options.id == options.time)
      throw usage_error(file_ + ": name the column of ids and that of times, which are two, as " +
                        "{.id = \"patient\", .time = \"hour\"}.");
    if (options.step <= 0)
      throw usage_error(file_ + ": a step of " + std::to_string(options.step) +
                        " s leads nowhere; from row to row it is 1 s or more.");
  }

  panel read() {
    const auto channels = read_header();
    // The table's shape and its numbers first: the walk over ids and times then meets whole rows only.
    const series table = parse_csv(text_,
                                   {.columns = channels,
                                    .missing = options_.missing,
                                    .delimiter = options_.delimiter,
                                    .times = time_order::ignored},
                                   file_)
                             .contents;
    while (!cells_.at_blank_tail()) read_row();
    return cut(table);
  }

 private:
  struct member {
    std::string id;
    std::size_t first = 0;  ///< its first row in the panel
    std::size_t line = 0;   ///< the line of its latest row
  };

  /// @returns the channels to read
  std::vector<std::string> read_header() {
    if (cells_.at_blank_tail())
      throw data_error(file_ + " is empty: a header and rows of ids, times and numbers were expected.");
    std::vector<std::string> names;
    do names.push_back(to_utf8(cells_.take_cell()));
    while (!cells_.record_ended());
    id_at_ = position_of(options_.id, names, "ids");
    time_at_ = position_of(options_.time, names, "times");
    if (!options_.columns.empty()) {
      for (const auto& name : options_.columns)
        if (name == options_.id || name == options_.time)
          throw usage_error(
              file_ + ": column \"" + name +
              "\" holds ids or times and cannot be a channel too; leave it out of the columns.");
      return options_.columns;
    }
    std::vector<std::string> channels;
    for (std::size_t c = 0; c < names.size(); ++c)
      if (c != id_at_ && c != time_at_ && !names[c].empty()) channels.push_back(names[c]);
    if (channels.empty())
      throw data_error(file_ + ": there is no column of numbers beside the ids and the times.");
    return channels;
  }

  std::size_t position_of(const std::string& name, const std::vector<std::string>& names,
                          const char* what) const {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    std::string known;
    for (const auto& other : names) known += (known.empty() ? "" : ", ") + other;
    throw data_error(file_ + ": there is no column \"" + name + "\" of " + what + "; the file has " + known +
                     ".");
  }

  void read_row() {
    const std::size_t line = cells_.line();
    timestamp when = 0;
    for (std::size_t c = 0;; ++c) {
      if (c == time_at_) {
        when = read_time(line);
      } else if (const auto cell = cells_.take_cell(); c == id_at_) {
        id_.assign(cell);
      }
      if (cells_.record_ended()) break;
    }
    if (id_.empty())
      throw data_error(file_ + ", row " + std::to_string(line) + ", column \"" + options_.id +
                       "\": there is no id; every row says whose it is.");
    place(to_utf8(id_), when, line);
  }

  timestamp read_time(std::size_t line) {
    double steps = 0;
    std::string shown;
    if (!cells_.take_number(steps)) {
      const auto cell = cells_.take_cell();
      if (const auto date = parse_timestamp(cell)) {
        require_one_kind(true, line);
        return *date;
      }
      const auto number = parse_number(cell);
      shown = to_utf8(cell.substr(0, 60));
      steps = number ? *number : std::numeric_limits<double>::quiet_NaN();
    }
    require_one_kind(false, line);
    // Above 2^53 a double no longer tells one whole number from the next.
    const double most = std::min(0x1p53, 0x1p62 / static_cast<double>(options_.step));
    if (!(std::abs(steps) <= most) || std::floor(steps) != steps)
      throw data_error(file_ + ", row " + std::to_string(line) + ", column \"" + options_.time + "\": \"" +
                       (shown.empty() ? number_text(steps) : shown) +
                       "\" is neither a whole number of steps nor a time; write 3, or 2016-07-01 05:00.");
    return static_cast<timestamp>(steps) * options_.step;
  }

  void require_one_kind(bool dated, std::size_t line) {
    if (!times_.empty() && dated != dated_)
      throw data_error(file_ + ", row " + std::to_string(line) + ", column \"" + options_.time +
                       "\": numbers of steps and timestamps are mixed; use one of them throughout.");
    dated_ = dated;
  }

  void place(std::string id, timestamp when, std::size_t line) {
    const bool starts = members_.empty() || id != members_.back().id;
    if (starts) {
      const auto [earlier, fresh] = places_.try_emplace(id, members_.size());
      if (!fresh)
        fail(line, id,
             "has rows above this one that end in row " + std::to_string(members_[earlier->second].line) +
                 "; sort the rows by " + options_.id + " and " + options_.time + ".");
      members_.push_back({std::move(id), times_.size(), line});
    } else {
      fill_up_to(when, line);
      members_.back().line = line;
    }
    target_.push_back(times_.size());
    times_.push_back(when);
  }

  /// Appends the times of absent rows between the latest row of this id and the next.
  void fill_up_to(timestamp when, std::size_t line) {
    const timestamp before = times_.back(), passed = when - before;
    const std::string& id = members_.back().id;
    if (passed == 0)
      fail(line, id,
           "has the time " + shown(when) + " twice, in row " + std::to_string(members_.back().line) +
               " before; keep one row a time.");
    if (passed < 0)
      fail(line, id,
           "goes back from " + shown(before) + " to " + shown(when) + "; sort the rows by " + options_.id +
               " and " + options_.time + ".");
    if (passed % options_.step != 0)
      fail(line, id,
           "goes from " + shown(before) + " to " + shown(when) + ", which are not whole steps of " +
               std::to_string(options_.step) + " s; choose another step.");
    const timestamp steps = passed / options_.step;
    if (steps > 1 && options_.absent == absent_rows::refused)
      fail(line, id,
           "has no row between " + shown(before) + " and " + shown(when) + "; " + std::to_string(steps - 1) +
               " are absent. Complete the table, or let absent rows become gaps.");
    if (steps > kLongestLeap)
      fail(line, id,
           "leaps by " + std::to_string(steps) + " steps from " + shown(before) + " to " + shown(when) +
               ", more than the " + std::to_string(kLongestLeap) +
               " that are filled with gaps; correct the time or choose a longer step.");
    for (timestamp k = 1; k < steps; ++k) times_.push_back(before + k * options_.step);
  }

  [[noreturn]] void fail(std::size_t line, const std::string& id, const std::string& what) const {
    throw data_error(file_ + ", row " + std::to_string(line) + ": " + options_.id + " \"" + id + "\" " +
                     what);
  }

  std::string shown(timestamp when) const {
    return dated_ ? print_timestamp(when) : std::to_string(when / options_.step);
  }

  panel cut(const series& table) {
    const std::size_t rows = times_.size();
    std::vector<double> values(table.channels() * rows, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t c = 0; c < table.channels(); ++c) {
      const auto from = table.channel(c);
      for (std::size_t r = 0; r < from.size(); ++r) values[c * rows + target_[r]] = from[r];
    }
    // All series are slices of one: one storage, each channel of a series contiguous.
    const series whole(table.names(), std::move(times_), std::move(values));
    std::vector<std::string> ids;
    std::vector<series> out;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      out.push_back(whole.slice(members_[i].first, i + 1 < members_.size() ? members_[i + 1].first : rows));
      ids.push_back(std::move(members_[i].id));
    }
    return {std::move(ids), std::move(out)};
  }

  std::string file_;
  const panel_options& options_;
  std::string_view text_;
  csv_cursor cells_;
  std::size_t id_at_ = 0, time_at_ = 0;
  bool dated_ = false;
  std::string id_;
  std::vector<member> members_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<timestamp> times_;     ///< of every row of the panel, one series after the other
  std::vector<std::size_t> target_;  ///< for each row of the table its row in the panel
};

}  // namespace detail

/// Reads many series from a long table that is in memory already.
/// @param name  what messages call it
/// @throws data_error, usage_error as read_panel
inline panel parse_panel(std::string_view text, const panel_options& options,
                         const std::string& name = "text") {
  using namespace std::string_view_literals;
  if (text.starts_with("\xEF\xBB\xBF"sv)) text.remove_prefix(3);
  return detail::panel_reader(name, text, options).read();
}

/// Reads many series from one long table, packed by gzip or not: a row holds an id, a time and one number a
/// channel.
///
/// An id's rows stand together and their times rise by whole steps; each series runs from its id's first row
/// to its last, `options.step` seconds from row to row. Rows are counted by the lines of the file, the header
/// being row 1.
///
/// @throws data_error   naming file, row and id: rows of one id that stand apart, go back in time or repeat a
///                      time; times between the steps; absent rows where they are refused; and what
///                      read_csv_file throws
/// @throws usage_error  where no column of ids or of times is named, both are the same, a column is asked for
///                      for two purposes, or the step is not positive
inline panel read_panel(const std::filesystem::path& path, const panel_options& options) {
  return parse_panel(read_bytes(path).text, options, path.string());
}

}  // namespace fmsb::data
