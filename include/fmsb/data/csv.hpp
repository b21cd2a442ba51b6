#pragma once
#include "fmsb/core/error.hpp"          // data_error, usage_error
#include "fmsb/data/csv_cells.hpp"      // csv_cursor, parse_number
#include "fmsb/data/file_bytes.hpp"     // read_bytes
#include "fmsb/data/series.hpp"         // series
#include "fmsb/data/text_encoding.hpp"  // to_utf8
#include "fmsb/data/text_lines.hpp"     // plain_text
#include "fmsb/data/timestamps.hpp"     // parse_timestamp

#include <algorithm>    // std::find, std::count
#include <charconv>     // std::from_chars
#include <cmath>        // std::isnan
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <filesystem>   // std::filesystem::path
#include <limits>       // std::numeric_limits
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// What is asked of timestamps as they are read.
enum class time_order {
  rising,   ///< every row comes after the one before it
  repeats,  ///< a row may repeat the time of the one before it; both are kept
  ignored,  ///< anything: the timestamps are left unread, and the series has none
};

/// How a table of numbers is to be read.
struct csv_options {
  /// The channels wanted, by name and in this order; every column but the time column where empty.
  std::vector<std::string> columns{};
  /// Words that stand for a gap, as "NaN" or "na". An empty cell always does.
  std::vector<std::string> missing{};
  char delimiter = ',';
  /// The column that holds timestamps. Where empty: the first, if any, whose first cell reads as a timestamp.
  std::string time_column{};
  time_order times = time_order::rising;
};

/// A table that was read, and what a report should say of its source.
struct csv_file {
  series contents;             ///< [channels, rows]
  std::string time_column;     ///< its name; empty where there is none
  std::size_t repeats = 0;     ///< rows whose timestamp the row before has, too
  std::size_t bytes = 0;       ///< size of the text, unpacked
  std::uint32_t checksum = 0;  ///< CRC-32 of the text, unpacked
  bool compressed = false;     ///< whether the file held gzip data
};

namespace detail {

class csv_reader {
 public:
  csv_reader(std::string name, std::string_view text, const csv_options& options)
      : file_(std::move(name)), options_(options), cells_(text, options.delimiter, file_), text_(text) {}

  csv_file read() {
    read_header();
    find_time_column();
    const std::size_t wanted = bind_channels();
    const auto lines = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n')) + 1;
    columns_.resize(wanted);
    for (auto& column : columns_) column.reserve(lines);
    if (time_at_ != kNone) times_.reserve(lines);
    while (!cells_.at_blank_tail()) read_record();
    if (rows_ == 0) throw data_error(file_ + ": no rows follow the header.");
    drop_empty_last_column();

    std::vector<std::string> names;
    std::vector<double> values;
    values.reserve(columns_.size() * rows_);
    for (const auto& column : columns_) values.insert(values.end(), column.begin(), column.end());
    for (std::size_t c = 0; c < columns_.size(); ++c) names.push_back(header_[source_[c]].name);
    csv_file out;
    out.contents = series(std::move(names), std::move(times_), std::move(values));
    out.repeats = repeats_;
    if (time_at_ != kNone) out.time_column = header_[time_at_].name;
    return out;
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  struct heading {
    std::string name;
    bool quoted = false;
    std::size_t channel = kNone;  ///< where its numbers go; kNone: nowhere
  };

  [[noreturn]] void fail(std::size_t row, std::size_t column, const std::string& what) const {
    throw data_error(file_ + ", row " + std::to_string(row) + ", column \"" + header_[column].name +
                     "\": " + what);
  }

  void read_header() {
    if (cells_.at_blank_tail())
      throw data_error(file_ + " is empty: a header and rows of numbers were expected.");
    bool words = false;
    do {
      const auto cell = cells_.take_cell();
      const bool number = parse_number(cell) || parse_timestamp(cell);
      words = words || cells_.quoted() || !number;
      header_.push_back({to_utf8(cell), cells_.quoted()});
    } while (!cells_.record_ended());
    if (!words)
      throw data_error(
          file_ +
          ", row 1: every cell is a number, so there is no header; put a line of column names before it "
          "(in quotes, where a name is a number).");
    for (std::size_t c = 0; c < header_.size(); ++c) {
      for (std::size_t other = 0; other < c; ++other)
        if (!header_[c].name.empty() && header_[other].name == header_[c].name)
          throw data_error(file_ + ", row 1: two columns are called \"" + header_[c].name +
                           "\"; give every column a name of its own.");
      if (header_[c].name.empty() && !header_[c].quoted) header_[c].name = "column " + std::to_string(c + 1);
    }
  }

  std::size_t position_of(const std::string& name) const {
    for (std::size_t c = 0; c < header_.size(); ++c)
      if (header_[c].name == name) return c;
    std::string known;
    for (const auto& column : header_) known += (known.empty() ? "" : ", ") + column.name;
    throw data_error(file_ + ": there is no column \"" + name + "\"; the file has " + known + ".");
  }

  void find_time_column() {
    if (!options_.time_column.empty()) {
      time_at_ = position_of(options_.time_column);
      return;
    }
    auto ahead = cells_;
    for (std::size_t c = 0; c < header_.size() && !ahead.done(); ++c) {
      if (parse_timestamp(ahead.take_cell())) {
        time_at_ = c;
        return;
      }
      if (ahead.record_ended()) return;
    }
  }

  std::size_t bind_channels() {
    if (options_.columns.empty()) {
      for (std::size_t c = 0; c < header_.size(); ++c)
        if (c != time_at_) source_.push_back(c);
    } else {
      for (const auto& name : options_.columns) source_.push_back(position_of(name));
    }
    for (std::size_t k = 0; k < source_.size(); ++k) {
      auto& column = header_[source_[k]];
      if (source_[k] == time_at_)
        throw usage_error(
            file_ + ": column \"" + column.name +
            "\" holds the timestamps and cannot be a channel too; leave it out of the columns.");
      if (column.channel != kNone)
        throw usage_error(file_ + ": column \"" + column.name + "\" was asked for twice; name it once.");
      column.channel = k;
    }
    if (source_.empty())
      throw data_error(file_ + ": there is no column of numbers beside the timestamps in \"" +
                       header_[time_at_].name + "\".");
    if (options_.times == time_order::ignored) time_at_ = kNone;
    return source_.size();
  }

  void read_record() {
    const std::size_t row = cells_.line();
    if (header_.size() > 1 && cells_.at_line_end())
      throw data_error(file_ + ", row " + std::to_string(row) + " is blank; take the line out.");
    for (std::size_t c = 0;; ++c) {
      if (c == header_.size()) fail_ragged(row, c);
      if (header_[c].channel != kNone) {
        double value = 0;
        columns_[header_[c].channel].push_back(cells_.take_number(value) ? value : read_unusual(row, c));
      } else if (c == time_at_) {
        read_time(row);
      } else {
        cells_.take_cell();
      }
      if (cells_.record_ended()) {
        if (c + 1 != header_.size()) fail_ragged(row, c + 1);
        break;
      }
    }
    ++rows_;
  }

  /// A cell that is not a plain number: a gap, a number in quotes or with a sign before it, or a mistake.
  double read_unusual(std::size_t row, std::size_t column) {
    const auto cell = cells_.take_cell();
    if (cell.empty() ||
        std::find(options_.missing.begin(), options_.missing.end(), cell) != options_.missing.end())
      return std::numeric_limits<double>::quiet_NaN();
    if (const auto value = parse_number(cell)) return *value;
    const std::string shown = to_utf8(cell.substr(0, 60));
    if (header_.size() == 1 && header_[0].name.find_first_of(";\t") != std::string::npos)
      throw data_error(file_ + ", row 1: only one column was found, \"" + header_[0].name +
                       "\"; pass --delimiter with what separates the columns.");
    const bool dated = parse_timestamp(cell).has_value();
    fail(row, column,
         "\"" + shown + (is_numeral(cell) ? "\" is not a finite number. " : "\" is not a number. ") +
             (dated ? "Name the column as the time column, or leave it out of the columns."
                    : "Pass --missing " + quote_blanks(shown) + " to read it as a gap."));
  }

  static bool is_numeral(std::string_view cell) {
    double ignored = 0;
    return std::from_chars(cell.data(), cell.data() + cell.size(), ignored).ptr == cell.data() + cell.size();
  }

  static std::string quote_blanks(const std::string& word) {
    return word.find_first_of(" '\"$\\;&|<>()*?`") == std::string::npos ? word : "'" + word + "'";
  }

  void read_time(std::size_t row) {
    const auto cell = cells_.take_cell();
    const auto when = parse_timestamp(cell);
    if (!when)
      fail(row, time_at_,
           "\"" + to_utf8(cell.substr(0, 60)) +
               "\" is not a date or time; write it as 2016-07-01 or 2016-07-01 05:30:00.");
    if (!times_.empty() && *when < times_.back())
      fail(row, time_at_,
           print_timestamp(*when) + " comes before " + print_timestamp(times_.back()) +
               " in the row above it; sort the rows by time, or pass --times ignored.");
    if (!times_.empty() && *when == times_.back()) {
      if (options_.times != time_order::repeats)
        fail(row, time_at_,
             print_timestamp(*when) +
                 " stands in the row above it, too; keep one row a time, or pass --times repeats.");
      ++repeats_;
    }
    times_.push_back(*when);
  }

  [[noreturn]] void fail_ragged(std::size_t row, std::size_t cells) {
    while (!cells_.record_ended()) {
      cells_.take_cell();
      ++cells;
    }
    throw data_error(file_ + ", row " + std::to_string(row) + " has " + std::to_string(cells) +
                     (cells == 1 ? " cell, but the header names " : " cells, but the header names ") +
                     std::to_string(header_.size()) + "; complete the row or quote what holds a delimiter.");
  }

  /// A delimiter at the end of every line is not a channel.
  void drop_empty_last_column() {
    const auto& last = header_.back();
    if (last.channel == kNone || last.quoted || columns_.size() < 2 || !options_.columns.empty()) return;
    if (last.name != "column " + std::to_string(header_.size())) return;
    const auto& values = columns_.back();
    if (std::all_of(values.begin(), values.end(), [](double x) { return std::isnan(x); })) {
      columns_.pop_back();
      source_.pop_back();
    }
  }

  std::string file_;
  const csv_options& options_;
  csv_cursor cells_;
  std::string_view text_;
  std::vector<heading> header_;
  std::size_t time_at_ = kNone;
  std::vector<std::size_t> source_;  ///< for each channel its column
  std::vector<std::vector<double>> columns_;
  std::vector<timestamp> times_;
  std::size_t rows_ = 0;
  std::size_t repeats_ = 0;
};

}  // namespace detail

/// Reads a table of numbers from text that is in memory already.
/// @param text  one line of column names, then one line a row; UTF-8 or Latin-1, with or without a byte
///              order mark
/// @param name  what messages call it
/// @throws data_error, usage_error as read_csv_file
inline csv_file parse_csv(std::string_view text, const csv_options& options = {},
                          const std::string& name = "text") {
  text = detail::plain_text(text, name, "this is no table in text; give a CSV file");
  return detail::csv_reader(name, text, options).read();
}

/// Reads a table of numbers from a file, packed by gzip or not.
///
/// Rows are counted by the lines of the file, the header being row 1. Quoting is RFC 4180's. Timestamps (see
/// parse_timestamp) must rise from row to row.
///
/// @throws data_error   naming file, row and column: a missing, empty, cut or damaged file; no header, no
///                      column of numbers, no such column; a row with too few or too many cells; text in
///                      place of a number; a timestamp out of order or twice
/// @throws usage_error  where one column is asked for twice or for two purposes
inline csv_file read_csv_file(const std::filesystem::path& path, const csv_options& options = {}) {
  const file_bytes source = read_bytes(path);
  csv_file out = parse_csv(source.text, options, path.string());
  out.bytes = source.text.size();
  out.checksum = source.checksum;
  out.compressed = source.compressed;
  return out;
}

/// The numbers alone of read_csv_file.
inline series read_csv(const std::filesystem::path& path, const csv_options& options = {}) {
  return read_csv_file(path, options).contents;
}

}  // namespace fmsb::data
