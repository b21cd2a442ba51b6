#pragma once
#include "fmsb/core/error.hpp"          // usage_error
#include "fmsb/core/fingerprint.hpp"    // hash_of, hash_text
#include "fmsb/core/version.hpp"        // version
#include "fmsb/report/atomic_file.hpp"  // write_atomically
#include "fmsb/report/cpp_text.hpp"     // is_cpp_name, comment_lines, cpp_literal, broken_literal

#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <limits>       // std::numeric_limits
#include <ostream>      // std::ostream
#include <set>          // std::set
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::pair
#include <vector>       // std::vector

namespace fmsb::report {

/// An architecture that a search found, to be written as a constant of C++.
struct architecture_header {
  std::string name;                        ///< of the array; a C++ name
  std::string name_space = "found";        ///< "a::b"; empty: the global one
  std::vector<std::string> axes{};         ///< of the points, as "kernel", "dilation"
  std::vector<std::vector<int>> points{};  ///< a point a place, a value an axis
  std::vector<std::string> provenance{};   ///< a comment line each: program, date, data, seed, options
  std::string space_text{};                ///< the space that was searched, as `text_of<Space>` says it
  std::vector<std::pair<std::string, long long>> counts{};  ///< constants beside the array, as "parameters"
};

namespace detail {

/// @throws usage_error where no header can be written of it
inline void check(const architecture_header& of) {
  const auto refuse = [&](const std::string& why) {
    throw usage_error("write_header: \"" + of.name + "\": " + why);
  };
  const auto check_name = [&](std::string_view text, const std::string& what) {
    if (!is_cpp_name(text))
      refuse("the " + what + " \"" + std::string(text) +
             "\" is no C++ name: it takes letters, digits and single underscores, a letter first, no "
             "underscore last, and is "
             "neither a word of the language nor std or fmsb.");
  };
  check_name(of.name, "name");
  for (std::size_t at = 0; !of.name_space.empty() && at != std::string::npos;) {
    const std::size_t end = of.name_space.find("::", at);
    check_name(std::string_view(of.name_space).substr(at, end - at), "namespace");
    at = end == std::string::npos ? end : end + 2;
  }
  if (of.axes.empty()) refuse("its points have no axes; name them in the order of their values.");
  const std::set<std::string> axes(of.axes.begin(), of.axes.end());
  if (axes.size() != of.axes.size() || axes.count("") != 0) refuse("every axis needs a name of its own.");
  if (of.points.empty()) refuse("it has no points.");
  for (std::size_t i = 0; i < of.points.size(); ++i)
    if (of.points[i].size() != of.axes.size())
      refuse("point " + std::to_string(i) + " has " + std::to_string(of.points[i].size()) + " values for " +
             std::to_string(of.axes.size()) + " axes.");
  std::set<std::string> constants{"fingerprint"};
  for (const auto& [count, value] : of.counts) {
    check_name(count, "count");
    if (!constants.insert(count).second) refuse("two of its constants are named \"" + count + "\".");
  }
}

}  // namespace detail

/// What identifies an architecture, whatever found it: "architecture(kernel=3,dilation=7;...) of SPACE".
inline std::string architecture_text(const architecture_header& of) {
  std::string out = "architecture(";
  for (std::size_t i = 0; i < of.points.size(); ++i)
    for (std::size_t a = 0; a < of.points[i].size(); ++a)
      out += (a != 0 ? "," : i != 0 ? ";" : "") + of.axes.at(a) + '=' + std::to_string(of.points[i][a]);
  return out + ')' + (of.space_text.empty() ? "" : " of " + of.space_text);
}

/// The header that `write_header` writes.
/// @throws usage_error where a name is no C++ name, or points, axes and counts do not fit one another
inline std::string header_text(const architecture_header& of) {
  detail::check(of);
  using detail::comment_lines, detail::cpp_literal;
  const std::string places = std::to_string(of.points.size()), identity = architecture_text(of);
  std::string names;
  for (const auto& axis : of.axes) names += (names.empty() ? "" : ", ") + cpp_literal(axis);
  std::string out = "#pragma once\n";
  out += comment_lines("Written by fmsb " + std::string(version) + "; not to be edited.");
  for (const auto& line : of.provenance) out += comment_lines(line);
  if (!of.space_text.empty()) out += comment_lines("space: " + of.space_text);
  out += "\n#include \"fmsb/space/point.hpp\"  // point, fingerprint\n\n#include <array>  // std::array\n\n";
  if (!of.name_space.empty()) out += "namespace " + of.name_space + " {\n\n";

  out += comment_lines("What was chosen in each place, the first first: a template argument of the network.",
                       "///");
  out += "inline constexpr std::array<fmsb::space::point<" + names + ">, " + places + "> " + of.name + "{{\n";
  for (const auto& point : of.points) {
    out += "    {{";
    for (std::size_t a = 0; a < point.size(); ++a) out += (a == 0 ? "" : ", ") + std::to_string(point[a]);
    out += "}},\n";
  }
  out += "}};\n\n";
  out +=
      comment_lines("The points and their space; its hash is " + hash_text(hash_of(identity)) + ".", "///");
  out += "inline constexpr fmsb::fingerprint " + of.name + "_fingerprint{\n" +
         detail::broken_literal(identity, "    ") + "};\n";
  if (!of.counts.empty()) out += '\n';
  for (const auto& [count, value] : of.counts) {
    // the least number has no literal of its own: its digits without the sign are too large
    const bool least = value == std::numeric_limits<long long>::min();
    out += "inline constexpr long long " + of.name + '_' + count + " = " +
           (least ? std::to_string(value + 1) + "LL - 1" : std::to_string(value) + "LL") + ";\n";
  }
  if (!of.name_space.empty()) out += "\n}  // namespace " + of.name_space + "\n";
  return out;
}

/// Writes an architecture as a C++ header, as a whole or not at all: an array of points that may be a
/// template argument, as in `models::wide_resnet_1d<options, found::tata>`, its fingerprint
/// `NAME_fingerprint` and `NAME_COUNT` for each count. It includes nothing but fmsb/space/point.hpp and
/// <array>.
/// @throws usage_error as header_text, or where the file cannot be created
inline void write_header(const std::filesystem::path& target, const architecture_header& of) {
  const std::string text = header_text(of);
  write_atomically(target, [&](std::ostream& out) { out << text; });
}

}  // namespace fmsb::report
