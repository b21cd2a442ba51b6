#pragma once
#include "fmsb/core/number_text.hpp"    // number_text
#include "fmsb/report/atomic_file.hpp"  // write_atomically

#include <nlohmann/json.hpp>  // nlohmann::ordered_json

#include <algorithm>   // std::all_of
#include <cmath>       // std::isfinite
#include <cstddef>     // std::size_t
#include <filesystem>  // std::filesystem::path
#include <ostream>     // std::ostream
#include <string>      // std::string

namespace fmsb::report {

/// A JSON value whose objects keep the order in which members were put in: a report reads as it was written.
using json = nlohmann::ordered_json;

namespace detail {

inline bool is_scalar(const json& value) { return !value.is_structured(); }

inline std::string scalar_text(const json& value) {
  // The shortest digits that read back as the same double; JSON has no word for what is not finite.
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) return "null";
    std::string text = number_text(number);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";  // stays a real number when read back
    return text;
  }
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

inline void put(std::string& out, const json& value, std::size_t depth) {
  constexpr std::size_t kWidth = 100;
  if (is_scalar(value)) {
    out += scalar_text(value);
    return;
  }
  const bool object = value.is_object();
  out += object ? '{' : '[';
  // An array of scalars is laid out as running text: 500 coefficients do not make 500 lines.
  const bool running = !object && std::all_of(value.begin(), value.end(), is_scalar);
  const std::string indent(2 * depth + 2, ' ');
  std::string run;
  bool first = true, broken = false;
  for (const auto& item : value.items()) {
    if (!first) (running ? run : out) += ',';
    if (running) {
      const std::string text = scalar_text(item.value());
      if (indent.size() + run.size() + text.size() + 2 > kWidth && !run.empty()) {
        out += "\n" + indent + run;
        run.clear();
        broken = true;
      }
      run += (run.empty() ? "" : " ") + text;
    } else {
      out += "\n" + indent;
      if (object) out += scalar_text(item.key()) + ": ";
      put(out, item.value(), depth + 1);
    }
    first = false;
  }
  if (running) out += broken ? "\n" + indent + run : run;
  if (!first && (broken || !running)) out += "\n" + std::string(2 * depth, ' ');
  out += object ? '}' : ']';
}

}  // namespace detail

/// JSON text with members in their order, two blanks an indentation and arrays of scalars on running lines.
/// A number that is not finite becomes null; bytes that are no UTF-8 become U+FFFD.
inline std::string to_text(const json& value) {
  std::string out;
  detail::put(out, value, 0);
  return out + "\n";
}

/// Writes `to_text(value)` as a whole or not at all. @throws as write_atomically
inline void write_json(const std::filesystem::path& target, const json& value) {
  const std::string text = to_text(value);
  write_atomically(target, [&](std::ostream& out) { out << text; });
}

}  // namespace fmsb::report
