#pragma once
#include "fmsb/core/error.hpp"         // data_error
#include "fmsb/data/class_labels.hpp"  // listed
#include "fmsb/data/file_bytes.hpp"    // read_bytes
#include "fmsb/data/sequences.hpp"     // sequences
#include "fmsb/data/text_lines.hpp"    // line_cursor, plain_text, trimmed

#include <algorithm>    // std::find
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// Reads splice junctions as the UCI repository keeps them from text that is in memory already: one a line,
/// `EI, NAME, SEQUENCE`. Class EI is a donor (exon to intron), IE an acceptor, N neither.
///
/// @param name  what messages call the text
/// @throws data_error naming line and position: not three fields, another class, an empty sequence, a
/// character
///                    that is no letter, no line at all
///
/// Source: "Molecular Biology (Splice-junction Gene Sequences)", UCI Machine Learning Repository (Towell,
/// Noordewier and Shavlik, 1991).
inline sequences parse_splice(std::string_view text, const std::string& name = "text") {
  std::vector<std::string> classes{"EI", "IE", "N"};
  std::vector<sequence> members;
  detail::line_cursor lines(
      detail::plain_text(text, name, "this is no list of splice junctions; give one in text"));
  while (lines.next()) {
    auto rest = detail::trimmed(lines.line());
    if (rest.empty()) continue;
    const auto place = name + ", line " + std::to_string(lines.number());
    std::array<std::string_view, 3> fields;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
      const auto comma = rest.find(',');
      more = comma != std::string_view::npos;
      if (count < fields.size()) fields[count] = detail::trimmed(rest.substr(0, comma));
      rest.remove_prefix(more ? comma + 1 : rest.size());
    }
    if (count != fields.size())
      throw data_error(place + " has " + std::to_string(count) + (count == 1 ? " field" : " fields") +
                       "; write three between commas: class, name, sequence.");
    const auto found = std::find(classes.begin(), classes.end(), fields[0]);
    if (found == classes.end())
      throw data_error(place + ": the class " + detail::quoted(fields[0]) + " is none of " +
                       detail::listed(classes) + ".");
    if (fields[2].empty()) throw data_error(place + ": there is no sequence; take the line out.");
    for (std::size_t i = 0; i < fields[2].size(); ++i)
      if (!detail::is_letter(fields[2][i]))
        throw data_error(place + ", position " + std::to_string(i + 1) +
                         " of the sequence: " + detail::shown_character(fields[2][i]) +
                         " is no letter; a sequence is written in letters alone.");
    members.push_back({.text = std::string(fields[2]),
                       .label = static_cast<int>(found - classes.begin()),
                       .name = to_utf8(fields[1]),
                       .place = place});
  }
  if (members.empty()) throw data_error(name + " holds no splice junction.");
  return {name, std::move(members), std::move(classes)};
}

/// The same from a file, packed by gzip or not. @throws data_error as parse_splice and read_bytes
inline sequences read_splice(const std::filesystem::path& path) {
  return parse_splice(read_bytes(path).text, path.string());
}

}  // namespace fmsb::data
