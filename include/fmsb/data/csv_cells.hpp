#pragma once
#include "fmsb/core/error.hpp"  // data_error

#include <algorithm>     // std::all_of
#include <charconv>      // std::from_chars
#include <cmath>         // std::isfinite
#include <cstddef>       // std::size_t
#include <optional>      // std::optional
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::errc

namespace fmsb::data::detail {

/// Walks over the cells of a table by RFC 4180: quotes, doubled quotes, line ends within quotes, \n or \r\n.
class csv_cursor {
 public:
  csv_cursor(std::string_view text, char delimiter, const std::string& file)
      : at_(text.data()), end_(text.data() + text.size()), delimiter_(delimiter), file_(file) {}

  bool done() const { return at_ == end_; }
  /// The line in the file at which the cursor stands, counted from 1.
  std::size_t line() const { return line_; }
  /// Whether the last cell was the last of its record.
  bool record_ended() const { return record_ended_; }
  /// Whether the last cell stood in quotes.
  bool quoted() const { return quoted_; }

  /// Whether nothing but line ends remains of the text.
  bool at_blank_tail() const {
    return std::all_of(at_, end_, [](char c) { return c == '\n' || c == '\r'; });
  }
  bool at_line_end() const { return at_ == end_ || *at_ == '\n' || *at_ == '\r'; }

  /// Reads a plain finite number that fills a whole cell; otherwise moves nothing.
  bool take_number(double& value) {
    const auto [stop, problem] = std::from_chars(at_, end_, value);
    if (problem != std::errc{} || !std::isfinite(value)) return false;
    if (stop != end_ && *stop != delimiter_ && *stop != '\n' && *stop != '\r') return false;
    quoted_ = false;
    at_ = stop;
    finish_cell();
    return true;
  }

  /// The next cell, less quotes and, outside quotes, less blanks around it. Valid until the next call.
  std::string_view take_cell() {
    quoted_ = false;
    const char* start = at_;
    while (start != end_ && *start == ' ') ++start;
    if (start != end_ && *start == '"') return take_quoted(start + 1);
    while (at_ != end_ && *at_ != delimiter_ && *at_ != '\n' && *at_ != '\r') ++at_;
    const char* stop = at_;
    while (stop != start && stop[-1] == ' ') --stop;
    finish_cell();
    return {start, static_cast<std::size_t>(stop - start)};
  }

 private:
  std::string_view take_quoted(const char* start) {
    quoted_ = true;
    buffer_.clear();
    const std::size_t opened = line_;
    for (at_ = start;; ++at_) {
      if (at_ == end_)
        throw data_error(
            file_ + ", row " + std::to_string(opened) +
            ": a quote is opened and never closed; close it, or double it if it belongs to the text.");
      if (*at_ == '"') {
        if (at_ + 1 == end_ || at_[1] != '"') break;
        ++at_;
      }
      if (*at_ == '\n') ++line_;
      buffer_ += *at_;
    }
    ++at_;
    while (at_ != end_ && *at_ == ' ' && delimiter_ != ' ') ++at_;
    if (at_ != end_ && *at_ != delimiter_ && *at_ != '\n' && *at_ != '\r')
      throw data_error(file_ + ", row " + std::to_string(opened) + ": text follows the closing quote of \"" +
                       buffer_ + "\"; double every quote that belongs to the text.");
    finish_cell();
    return buffer_;
  }

  void finish_cell() {
    record_ended_ = at_ == end_ || *at_ != delimiter_;
    if (at_ == end_) return;
    const bool carriage_return = *at_++ == '\r';
    if (carriage_return && at_ != end_ && *at_ == '\n') ++at_;
    if (record_ended_) ++line_;
  }

  const char* at_;
  const char* end_;
  char delimiter_;
  const std::string& file_;
  std::string buffer_;
  std::size_t line_ = 1;
  bool record_ended_ = false;
  bool quoted_ = false;
};

/// A finite number that fills the whole of `text`.
inline std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem == std::errc::result_out_of_range) {  // also said of numbers that are merely too small to hold
    long double wide = 0;
    stop = std::from_chars(text.data(), end, wide).ptr;
    if (wide != 0 && std::abs(wide) < 1) {
      value = static_cast<double>(wide);
      problem = std::errc{};
    }
  }
  if (problem != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace fmsb::data::detail
