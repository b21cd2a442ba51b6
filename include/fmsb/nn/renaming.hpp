#pragma once
#include <algorithm>         // std::min
#include <concepts>          // std::convertible_to, std::same_as
#include <cstddef>           // std::size_t
#include <functional>        // std::function
#include <initializer_list>  // std::initializer_list
#include <string>            // std::string
#include <string_view>       // std::string_view
#include <type_traits>       // std::invoke_result_t, std::remove_cvref_t
#include <utility>           // std::pair, std::move
#include <vector>            // std::vector

namespace fmsb::nn {

/// How the names of a file become those of a module: a function of the name, or a list of {from, to}. Of a
/// list every pair is applied, one after the other: it replaces whole names between dots, wherever they
/// stand. {"layer.0", "first"} makes "encoder.layer.0.weight" "encoder.first.weight" and leaves
/// "encoder.layer.01.weight" alone; an empty `to` takes names out.
class renaming {
 public:
  /// Leaves every name as it is.
  renaming() = default;
  renaming(std::initializer_list<std::pair<std::string, std::string>> pairs) {
    map_ = [list = std::vector(pairs)](std::string_view name) {
      std::string out(name);
      for (const auto& [from, to] : list) out = replaced(out, from, to);
      return out;
    };
  }
  template <class Map>
  requires(std::convertible_to<std::invoke_result_t<Map, std::string_view>, std::string> &&
           !std::same_as<std::remove_cvref_t<Map>, renaming>) renaming(Map map)
      : map_(std::move(map)) {}

  std::string operator()(std::string_view name) const { return map_ ? map_(name) : std::string(name); }

 private:
  static std::string replaced(std::string_view name, std::string_view from, std::string_view to) {
    if (from.empty()) return std::string(name);
    std::string out;
    const auto add = [&](std::string_view part) {
      if (part.empty()) return;
      if (!out.empty()) out += '.';
      out += part;
    };
    while (!name.empty()) {
      const bool whole = name.starts_with(from) && (name.size() == from.size() || name[from.size()] == '.');
      const auto end = whole ? from.size() : std::min(name.find('.'), name.size());
      add(whole ? to : name.substr(0, end));
      name.remove_prefix(std::min(end + 1, name.size()));
    }
    return out;
  }

  std::function<std::string(std::string_view)> map_{};
};

/// Whether a pattern describes the whole of a name; `*` stands for any characters, dots included, or none.
constexpr bool matches_pattern(std::string_view pattern, std::string_view name) {
  // The last star takes as little as it can, and one character more each time that what follows it does not
  // fit.
  std::size_t p = 0, n = 0, star = pattern.npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace fmsb::nn
