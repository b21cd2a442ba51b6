#pragma once
#include "fmsb/core/error.hpp"  // data_error, usage_error

#include <algorithm>  // std::max, std::min
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <memory>     // std::shared_ptr
#include <span>       // std::span
#include <string>     // std::string, std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::data {

/// One text of letters, such as a stretch of DNA, with the number of its class.
struct sequence {
  std::string text{};   ///< as it was read, upper and lower case kept
  int label = 0;        ///< from 0
  std::string name{};   ///< of its record, such as a line of FASTA less the ">"; may be empty
  std::string place{};  ///< where it stands, for messages: `promoters.csv, row 7`
};

/// Sequences with a class each, of one length or of several. Cheap to copy; copies share the texts, which
/// never change. `one_hot` makes arrays of them.
class sequences {
 public:
  /// @param name     what messages and reports call them, such as a file's path
  /// @param members  one that has no place gets one by its number: `name, sequence 3`
  /// @param classes  the classes' names
  /// @throws data_error where a label names no class
  sequences(std::string name, std::vector<sequence> members, std::vector<std::string> classes) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto& one = members[i];
      if (one.place.empty()) one.place = name + ", sequence " + std::to_string(i + 1);
      if (one.label < 0 || static_cast<std::size_t>(one.label) >= classes.size())
        throw data_error(one.place + " has the label " + std::to_string(one.label) + ", but there are " +
                         std::to_string(classes.size()) + " classes, numbered from 0.");
    }
    held_ =
        std::make_shared<const contents>(contents{std::move(name), std::move(members), std::move(classes)});
  }

  const std::string& name() const { return held_->name; }
  std::size_t size() const { return held_->members.size(); }
  const std::vector<std::string>& classes() const { return held_->classes; }
  std::size_t classes_count() const { return held_->classes.size(); }

  const sequence& operator[](std::size_t i) const { return held_->members[i]; }
  auto begin() const { return held_->members.begin(); }
  auto end() const { return held_->members.end(); }

  /// How many letters the shortest has; 0 where there is none.
  std::size_t shortest() const {
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const auto& one : *this) least = std::min(least, one.text.size());
    return size() == 0 ? 0 : least;
  }
  /// How many letters the longest has; 0 where there is none.
  std::size_t longest() const {
    std::size_t most = 0;
    for (const auto& one : *this) most = std::max(most, one.text.size());
    return most;
  }

  /// How many sequences each class has.
  std::vector<std::size_t> counts() const {
    std::vector<std::size_t> out(classes_count());
    for (const auto& one : *this) ++out[static_cast<std::size_t>(one.label)];
    return out;
  }

  /// A copy of some, in the order given; each keeps its place in messages.
  /// @throws usage_error where there is no sequence of such a number
  sequences subset(std::span<const std::size_t> numbers) const {
    std::vector<sequence> some;
    some.reserve(numbers.size());
    for (const auto i : numbers) {
      if (i >= size())
        throw usage_error(name() + ": sequence number " + std::to_string(i) +
                          " was asked for, but there are " + std::to_string(size()) + ", numbered from 0.");
      some.push_back((*this)[i]);
    }
    return {name(), std::move(some), classes()};
  }

 private:
  struct contents {
    std::string name;
    std::vector<sequence> members;
    std::vector<std::string> classes;
  };
  std::shared_ptr<const contents> held_;
};

}  // namespace fmsb::data
