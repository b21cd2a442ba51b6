#pragma once
#include "fmsb/core/display_text.hpp"  // display_width, grouped
#include "fmsb/nn/layer.hpp"           // layer

#include <algorithm>  // std::find, std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint64_t
#include <string>     // std::string
#include <vector>     // std::vector

namespace fmsb::nn {

/// Numbers that a module holds as parameters.
struct parameter_counts {
  std::int64_t all = 0;
  std::int64_t trainable = 0;  ///< those that require a gradient
  friend bool operator==(const parameter_counts&, const parameter_counts&) = default;
};

/// Counted at run time, for any LibTorch module; `parameters<T>` and `trainable_parameters<T>` say the same
/// of a type. A tensor that stands under two names counts once.
inline parameter_counts count_parameters(const torch::nn::Module& m) {
  parameter_counts counts;
  std::vector<const void*> seen;
  for (const auto& p : m.parameters()) {
    if (std::find(seen.begin(), seen.end(), p.unsafeGetTensorImpl()) != seen.end()) continue;
    seen.push_back(p.unsafeGetTensorImpl());
    counts.all += p.numel();
    if (p.requires_grad()) counts.trainable += p.numel();
  }
  return counts;
}

namespace detail {

struct tree_line {
  std::string text;
  parameter_counts counts;
};

/// A leaf in full; of a composite what stands before its children.
inline std::string tree_title(const torch::nn::Module& m) {
  const auto* ours = dynamic_cast<const layer*>(&m);
  if (ours == nullptr) return m.name();
  const std::string text = ours->describe();
  return m.children().empty() ? text : text.substr(0, text.find('{'));
}

inline void add_tree_lines(const torch::nn::Module& m, const std::string& indent,
                           std::vector<tree_line>& lines) {
  const auto children = m.named_children();
  const auto& items = children.items();
  const auto text_of = [](const torch::nn::Module& child) {
    const auto* ours = dynamic_cast<const layer*>(&child);
    return ours != nullptr ? ours->describe() : std::string();
  };
  for (std::size_t i = 0; i < items.size();) {
    const auto& child = *items[i].value();
    const std::string description = text_of(child);
    std::size_t last = i;  // equal neighbours share a line
    while (!description.empty() && last + 1 < items.size() &&
           text_of(*items[last + 1].value()) == description)
      ++last;
    auto name = items[i].key();
    if (last > i) name += (last > i + 1 ? " .. " : ", ") + items[last].key();
    auto counts = count_parameters(child);
    counts.all *= static_cast<std::int64_t>(last - i + 1);
    counts.trainable *= static_cast<std::int64_t>(last - i + 1);
    const bool end = last + 1 == items.size();
    lines.push_back({indent + (end ? "└─ " : "├─ ") + name + ": " + tree_title(child), counts});
    add_tree_lines(child, indent + (end ? "   " : "│  "), lines);
    i = last + 1;
  }
}

}  // namespace detail

/// The tree of a module's children, one a line, with their parameters and how many of them train. Equal
/// neighbours share a line, and a line counts all of its modules:
///
///     net                                  426     210
///     ├─ block: 3 x attention              408     192
///     ...
inline std::string tree(const torch::nn::Module& m) {
  std::vector<detail::tree_line> lines{{detail::tree_title(m), count_parameters(m)}};
  detail::add_tree_lines(m, "", lines);
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, display_width(line.text));
  const std::size_t all =
      std::max<std::size_t>(10, grouped(static_cast<std::uint64_t>(lines[0].counts.all)).size());
  const auto cell = [](const std::string& text, std::size_t columns) {
    return std::string(columns > text.size() ? columns - text.size() : 0, ' ') + text;
  };
  std::string out =
      std::string(width, ' ') + "  " + cell("parameters", all) + "  " + cell("trainable", all) + "\n";
  for (const auto& line : lines)
    out += line.text + std::string(width - display_width(line.text), ' ') + "  " +
           cell(grouped(static_cast<std::uint64_t>(line.counts.all)), all) + "  " +
           cell(grouped(static_cast<std::uint64_t>(line.counts.trainable)), all) + "\n";
  return out;
}

}  // namespace fmsb::nn
