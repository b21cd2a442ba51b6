#pragma once
#include "fmsb/core/error.hpp"          // data_error
#include "fmsb/data/class_labels.hpp"   // number_labels
#include "fmsb/data/csv_cells.hpp"      // csv_cursor
#include "fmsb/data/file_bytes.hpp"     // read_bytes
#include "fmsb/data/sequences.hpp"      // sequences
#include "fmsb/data/text_encoding.hpp"  // to_utf8
#include "fmsb/data/text_lines.hpp"     // plain_text, is_letter, shown_character

#include <algorithm>    // std::count, std::find
#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// Where a table holds sequences and their classes.
struct sequence_csv_options {
  std::string sequence_column = "sequence";
  std::string label_column = "label";
  /// The classes in the order wanted; where empty, those of the file (see number_labels). Give those of the
  /// train part to a test part, so that both number them alike.
  std::vector<std::string> classes{};
  char delimiter = ',';
};

/// Reads a table with a column of sequences and one of labels from text that is in memory already; other
/// columns are passed over. The first line names the columns and counts as row 1.
///
/// @param name  what messages call the text
/// @throws data_error  naming row and column: no such column, no rows, a row with too few or too many cells,
/// an
///                     empty sequence or one with a character that is no letter, a label that is no class;
///                     usage_error where a class is named twice
inline sequences parse_sequence_csv(std::string_view text, const sequence_csv_options& options = {},
                                    const std::string& name = "text") {
  detail::csv_cursor cells(detail::plain_text(text, name, "this is no table in text; give a CSV file"),
                           options.delimiter, name);
  if (cells.at_blank_tail())
    throw data_error(name + " is empty: a header and rows of sequences were expected.");
  std::vector<std::string> header;
  do header.push_back(to_utf8(cells.take_cell()));
  while (!cells.record_ended());
  const auto position_of = [&](const std::string& column) {
    const auto times = std::count(header.begin(), header.end(), column);
    if (times == 1)
      return static_cast<std::size_t>(std::find(header.begin(), header.end(), column) - header.begin());
    if (times > 1)
      throw data_error(name + ", row 1: " + std::to_string(times) + " columns are called " +
                       detail::quoted(column) + "; give every column a name of its own.");
    for (auto& cell : header) cell = detail::quoted(cell);
    throw data_error(name + ", row 1: there is no column " + detail::quoted(column) +
                     "; the first line has " + detail::listed(header) + ".");
  };
  const auto sequence_at = position_of(options.sequence_column);
  const auto label_at = position_of(options.label_column);

  std::vector<sequence> members;
  std::vector<std::string> labels;
  while (!cells.at_blank_tail()) {
    const auto place = name + ", row " + std::to_string(cells.line());
    if (header.size() > 1 && cells.at_line_end()) throw data_error(place + " is blank; take the line out.");
    std::string letters, label;
    std::size_t count = 0;
    do {
      const auto cell = cells.take_cell();
      if (count == sequence_at) letters = cell;
      if (count == label_at) label = to_utf8(cell);
      ++count;
    } while (!cells.record_ended());
    if (count != header.size())
      throw data_error(
          place + " has " + std::to_string(count) +
          (count == 1 ? " cell, but the first line names " : " cells, but the first line names ") +
          std::to_string(header.size()) + "; complete the row or quote what holds a delimiter.");
    const auto column = [&] { return place + ", column " + detail::quoted(options.sequence_column); };
    if (letters.empty()) throw data_error(column() + ": there is no sequence; take the row out.");
    for (std::size_t i = 0; i < letters.size(); ++i)
      if (!detail::is_letter(letters[i]))
        throw data_error(column() + ", position " + std::to_string(i + 1) + ": " +
                         detail::shown_character(letters[i]) +
                         " is no letter; a sequence is written in letters alone.");
    members.push_back({.text = std::move(letters), .label = 0, .name = {}, .place = place});
    labels.push_back(std::move(label));
  }
  if (members.empty()) throw data_error(name + ": no rows follow the first line.");

  auto found = number_labels(labels, options.classes, [&](std::size_t i) {
    return members[i].place + ", column " + detail::quoted(options.label_column);
  });
  for (std::size_t i = 0; i < members.size(); ++i) members[i].label = found.numbers[i];
  return {name, std::move(members), std::move(found.classes)};
}

/// The same from a file, packed by gzip or not. @throws data_error as parse_sequence_csv and read_bytes
inline sequences read_sequence_csv(const std::filesystem::path& path,
                                   const sequence_csv_options& options = {}) {
  return parse_sequence_csv(read_bytes(path).text, options, path.string());
}

}  // namespace fmsb::data
