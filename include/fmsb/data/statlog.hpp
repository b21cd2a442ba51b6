#pragma once
#include "fmsb/core/error.hpp"            // data_error
#include "fmsb/core/number_text.hpp"      // read_number
#include "fmsb/data/file_bytes.hpp"       // read_bytes
#include "fmsb/data/labelled.hpp"         // labelled_set
#include "fmsb/data/labelled_splits.hpp"  // labelled_splits
#include "fmsb/data/pixels.hpp"           // pixels, pixel_range
#include "fmsb/data/text_lines.hpp"       // line_cursor, plain_text, trimmed

#include <array>        // std::array
#include <cstddef>      // std::byte, std::size_t
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// Reads neighbourhoods of a Landsat image with the class of the middle pixel, as the Statlog project
/// published them, from text that is in memory already. Arrays are {4, 3, 3}: spectral bands, rows, columns.
///
/// A line has 36 whole numbers from 0 to 255, pixel after pixel by rows from the top left, of each the four
/// bands; then the class: 1, 2, 3, 4, 5 or 7, here numbered from 0 in this order. (Class 6, a mixture, was
/// taken out by the publishers.) A first line that numbers the columns, so that "37" stands for the class, is
/// passed over.
///
/// @param name  what messages call the text
/// @throws data_error naming line and column: another number of columns, text in place of a whole number from
/// 0 to
///                    255, another class, no line at all
///
/// Source: "Statlog (Landsat Satellite)", UCI Machine Learning Repository (Srinivasan, 1993).
inline labelled_set parse_statlog(std::string_view text, const std::string& name = "text",
                                  pixel_range range = pixel_range::unit) {
  constexpr std::size_t bands = 4, places = 9, numbers = bands * places;
  constexpr std::array<int, 6> codes{1, 2, 3, 4, 5, 7};
  std::vector<std::byte> values;
  std::vector<int> labels;
  detail::line_cursor lines(detail::plain_text(text, name, "this is no Statlog table; give one in text"));
  while (lines.next()) {
    auto rest = detail::trimmed(lines.line());
    if (rest.empty()) continue;
    const auto place = name + ", line " + std::to_string(lines.number());
    std::array<int, numbers + 1> row{};
    std::size_t count = 0;
    for (; !rest.empty(); ++count) {
      const auto word = rest.substr(0, rest.find_first_of(" \t"));
      rest = detail::trimmed(rest.substr(word.size()));
      if (count >= row.size()) continue;
      const auto number = read_number<int>(word);
      if (!number || *number < 0 || *number > 255)
        throw data_error(place + ", column " + std::to_string(count + 1) + ": " + detail::quoted(word) +
                         " is no whole number from 0 to 255.");
      row[count] = *number;
    }
    if (count != row.size())
      throw data_error(place + " has " + std::to_string(count) + (count == 1 ? " number" : " numbers") +
                       "; a line has 37, nine pixels of four bands and the class.");
    if (labels.empty() && row.front() == 1 && row.back() == static_cast<int>(row.size())) continue;
    std::size_t label = 0;
    while (label < codes.size() && codes[label] != row.back()) ++label;
    if (label == codes.size())
      throw data_error(place + ", column 37: " + std::to_string(row.back()) +
                       " is no class; the classes are 1, 2, 3, 4, 5 and 7.");
    labels.push_back(static_cast<int>(label));
    for (std::size_t band = 0; band < bands; ++band)
      for (std::size_t pixel = 0; pixel < places; ++pixel)
        values.push_back(static_cast<std::byte>(row[pixel * bands + band]));
  }
  if (labels.empty()) throw data_error(name + " holds no line of 36 numbers and a class.");
  return {name,
          {bands, 3, 3},
          pixels(values, range),
          std::move(labels),
          {"red soil", "cotton crop", "grey soil", "damp grey soil", "vegetation stubble",
           "very damp grey soil"}};
}

/// The same from a file, packed by gzip or not. @throws data_error as parse_statlog and read_bytes
inline labelled_set read_statlog(const std::filesystem::path& path, pixel_range range = pixel_range::unit) {
  return parse_statlog(read_bytes(path).text, path.string(), range);
}

/// The two files of the publishers. Their neighbourhoods overlap within a part: do not divide them at random
/// again.
/// @throws data_error as read_statlog
inline labelled_splits read_statlog_splits(const std::filesystem::path& train,
                                           const std::filesystem::path& test,
                                           pixel_range range = pixel_range::unit) {
  return {train_examples(read_statlog(train, range)), test_examples(read_statlog(test, range))};
}

}  // namespace fmsb::data
