#pragma once
#include "fmsb/core/error.hpp"       // data_error, usage_error
#include "fmsb/data/file_bytes.hpp"  // read_bytes
#include "fmsb/data/sequences.hpp"   // sequences
#include "fmsb/data/text_lines.hpp"  // line_cursor, plain_text

#include <algorithm>    // std::find
#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <iterator>     // std::make_move_iterator
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// A FASTA file whose records are all of one class.
struct class_file {
  std::string name;            ///< of the class
  std::filesystem::path path;  ///< of the file, packed by gzip or not
};

namespace detail {

/// Reads the records of one FASTA text, all with the same label.
inline std::vector<sequence> fasta_records(std::string_view text, const std::string& file, int label) {
  std::vector<sequence> out;
  const auto finish = [&] {
    if (!out.empty() && out.back().text.empty())
      throw data_error(out.back().place + " has no letters; complete the record or take it out.");
  };
  line_cursor lines(plain_text(text, file, "this is no FASTA file; give one in text, packed by gzip or not"));
  while (lines.next()) {
    const auto line = trimmed(lines.line());
    if (line.empty()) continue;
    const auto where = [&] { return file + ", line " + std::to_string(lines.number()); };
    if (line.front() == '>') {
      finish();
      const auto name = trimmed(line.substr(1));
      out.push_back(
          {.text = {},
           .label = label,
           .name = to_utf8(name),
           .place = file + ", record " + std::to_string(out.size() + 1) +
                    (name.empty() || name == std::to_string(out.size() + 1) ? "" : " " + quoted(name))});
      continue;
    }
    if (out.empty())
      throw data_error(where() + ": " + quoted(line) +
                       " stands before the first record; begin every record by a line of \">\" and a name.");
    for (std::size_t i = 0; i < lines.line().size(); ++i) {
      const char c = lines.line()[i];
      if (c == ' ' || c == '\t') continue;
      if (!is_letter(c))
        throw data_error(where() + ", column " + std::to_string(i + 1) + ": " + shown_character(c) +
                         " is no letter; a sequence is written in letters alone, without gaps or numbers.");
      out.back().text += c;
    }
  }
  finish();
  if (out.empty()) throw data_error(file + " holds no record; give a FASTA file.");
  return out;
}

}  // namespace detail

/// Reads FASTA from text that is in memory already; all records are of one class.
///
/// A record is a line of ">" and a name, then its letters on one or more lines; blanks, blank lines and any
/// kind of line end are allowed between them. Letters keep their case: in genomes, lower case marks repeats.
///
/// @param class_name  of the only class
/// @param name        what messages call the text
/// @throws data_error naming line or record: text before the first ">", a record without letters, a character
///                    that is no letter, no record at all
inline sequences parse_fasta(std::string_view text, std::string class_name = "all",
                             const std::string& name = "text") {
  return {name, detail::fasta_records(text, name, 0), {std::move(class_name)}};
}

/// The same from a file, packed by gzip or not. @throws data_error as parse_fasta and read_bytes
inline sequences read_fasta(const std::filesystem::path& path, std::string class_name = "all") {
  return parse_fasta(read_bytes(path).text, std::move(class_name), path.string());
}

/// Joins FASTA files that hold one class each: `read_fasta_classes({{"enhancer", a}, {"other", b}})`.
///
/// The classes are numbered in the order in which they are first named; files with the same name of a class
/// make up one class.
///
/// @throws usage_error where no file is given; data_error as parse_fasta and read_bytes
inline sequences read_fasta_classes(const std::vector<class_file>& files) {
  if (files.empty())
    throw usage_error("fmsb::data::read_fasta_classes: no file was given; give one for each class.");
  std::string name;
  std::vector<sequence> all;
  std::vector<std::string> classes;
  for (const auto& file : files) {
    const auto place = std::find(classes.begin(), classes.end(), file.name);
    const auto label = static_cast<int>(place - classes.begin());
    if (place == classes.end()) classes.push_back(file.name);
    auto some = detail::fasta_records(read_bytes(file.path).text, file.path.string(), label);
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    name += (name.empty() ? "" : " + ") + file.path.string();
  }
  return {std::move(name), std::move(all), std::move(classes)};
}

}  // namespace fmsb::data
