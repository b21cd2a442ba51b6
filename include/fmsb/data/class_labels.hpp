#pragma once
#include "fmsb/core/error.hpp"        // data_error, usage_error
#include "fmsb/core/number_text.hpp"  // read_number
#include "fmsb/data/text_lines.hpp"   // quoted

#include <algorithm>   // std::any_of, std::max, std::min, std::sort, std::unique
#include <cstddef>     // std::size_t
#include <functional>  // std::function, std::less
#include <map>         // std::map
#include <span>        // std::span
#include <string>      // std::string, std::to_string
#include <utility>     // std::move
#include <vector>      // std::vector

namespace fmsb::data {

/// Names of classes that have none of their own: "0", "1", ...
inline std::vector<std::string> numbered_classes(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < count; ++c) names.push_back(std::to_string(c));
  return names;
}

/// The numbers of classes that labels of a file stand for, and the classes' names.
struct class_labels {
  std::vector<int> numbers{};
  std::vector<std::string> classes{};
};

namespace detail {

/// More than any classification has; a label beyond it is a measurement in the wrong column.
inline constexpr int kMostClasses = 1 << 16;

/// Names in a message: the first few, and how many there are.
inline std::string listed(std::span<const std::string> names) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= most ? text : text + ", ... (" + std::to_string(names.size()) + " in all)";
}

}  // namespace detail

/// Numbers the classes of labels that are given as texts.
///
/// Where `classes` are given, a label is one of them or, if no label is, the number of one, from 0. Otherwise
/// whole numbers from 0 are taken as they are, and words are numbered in alphabetical order.
///
/// @param classes  names in the order wanted, as another part of the same data has them; may be empty
/// @param place    of a label in messages: `part.csv, row 7, column "label"`
/// @throws data_error  naming the place: an empty label, one that is not among `classes`, words among
/// numbers,
///                     a negative number; usage_error where a class is named twice
inline class_labels number_labels(std::span<const std::string> labels, std::vector<std::string> classes,
                                  const std::function<std::string(std::size_t)>& place) {
  constexpr auto none = static_cast<std::size_t>(-1);
  const auto number_of = [](const std::string& label) { return read_number<int>(label); };
  std::size_t first_word = none, first_number = none;
  int highest = -1;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) throw data_error(place(i) + ": there is no label; give every example one.");
    const auto number = number_of(labels[i]);
    auto& first = number ? first_number : first_word;
    first = std::min(first, i);
    highest = std::max(highest, number.value_or(-1));
  }

  const bool given = !classes.empty();
  if (!given && first_word == none) {
    if (highest >= detail::kMostClasses)
      throw data_error(place(first_number) + " and others are numbers up to " + std::to_string(highest) +
                       ", too many classes; name the column that holds the class.");
    classes = numbered_classes(static_cast<std::size_t>(highest + 1));
  } else if (!given) {
    if (first_number != none)
      throw data_error(place(first_word) + ": the label " + detail::quoted(labels[first_word]) +
                       " is a word, but others are numbers; give the classes' names, or correct it.");
    classes.assign(labels.begin(), labels.end());
    std::sort(classes.begin(), classes.end());
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
    if (classes.size() > static_cast<std::size_t>(detail::kMostClasses))
      throw data_error(place(0) + " and others are " + std::to_string(classes.size()) +
                       " different words, too many classes; name the column that holds the class.");
  }
  std::map<std::string, int, std::less<>> by_name;
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (!by_name.emplace(classes[c], static_cast<int>(c)).second)
      throw usage_error("fmsb::data: the class " + detail::quoted(classes[c]) +
                        " was named twice; name every class once.");

  // One rule for all labels: with classes "1" and "2", a label 1 must not be once a name and once a number.
  const bool any_named = std::any_of(labels.begin(), labels.end(),
                                     [&](const std::string& label) { return by_name.contains(label); });
  class_labels out{.classes = std::move(classes)};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto named = by_name.find(labels[i]);
    const int number = !any_named               ? number_of(labels[i]).value_or(-1)
                       : named != by_name.end() ? named->second
                                                : -1;
    if (number < 0 || static_cast<std::size_t>(number) >= out.classes.size()) {
      if (!given)
        throw data_error(place(i) + ": the label " + detail::quoted(labels[i]) +
                         " is no whole number from 0; give the classes' names to have labels read as names.");
      throw data_error(place(i) + ": the label " + detail::quoted(labels[i]) +
                       " is none of the classes, which are " + detail::listed(out.classes) + ".");
    }
    out.numbers.push_back(number);
  }
  return out;
}

}  // namespace fmsb::data
