#pragma once
#include "fmsb/core/error.hpp"   // usage_error
#include "fmsb/data/series.hpp"  // series

#include <algorithm>      // std::find
#include <cstddef>        // std::size_t
#include <memory>         // std::shared_ptr
#include <optional>       // std::optional
#include <span>           // std::span
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_set>  // std::unordered_set
#include <utility>        // std::move
#include <vector>         // std::vector

namespace fmsb::data {

/// Many series of the same channels, each with an id of its own: patients, machines, shops.
///
/// The series may differ in length. Immutable; copies share their storage, so they cost nothing. The order is
/// that in which the ids were given.
class panel {
 public:
  /// Nobody.
  panel() : panel({}, {}) {}

  /// @param ids     one a series, no id twice
  /// @param series  of the same channels in the same order
  /// @throws usage_error where the numbers of both differ, an id stands twice, or channels differ
  panel(std::vector<std::string> ids, std::vector<series> series)
      : storage_(std::make_shared<const storage>(storage{std::move(ids), std::move(series)})) {
    const auto& [names, members] = *storage_;
    if (names.size() != members.size())
      throw usage_error("panel: " + std::to_string(names.size()) + " ids for " +
                        std::to_string(members.size()) + " series; give one id a series.");
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!seen.insert(names[i]).second)
        throw usage_error("panel: the id \"" + names[i] + "\" stands twice; give every series its own.");
      if (members[i].names() != members[0].names())
        throw usage_error("panel: the series of \"" + names[i] + "\" does not have the channels of \"" +
                          names[0] + "\"; names and their order must agree.");
    }
  }

  /// How many series.
  std::size_t size() const { return storage_->ids.size(); }
  bool empty() const { return size() == 0; }
  const std::vector<std::string>& ids() const { return storage_->ids; }

  /// The series at a place, counted from 0. @throws usage_error beyond the last
  const series& operator[](std::size_t place) const { return storage_->members[checked(place)]; }
  /// The id at a place. @throws usage_error beyond the last
  const std::string& id(std::size_t place) const { return storage_->ids[checked(place)]; }

  /// The place of an id; nothing where there is none of that name.
  std::optional<std::size_t> find(std::string_view id) const {
    const auto at = std::find(ids().begin(), ids().end(), id);
    if (at == ids().end()) return std::nullopt;
    return static_cast<std::size_t>(at - ids().begin());
  }

  /// The names of the channels; none where there is no series.
  std::vector<std::string> channels() const {
    return empty() ? std::vector<std::string>{} : storage_->members[0].names();
  }

  /// The place of a channel. @throws usage_error naming the channels, where none is called so
  std::size_t channel(std::string_view name) const {
    const auto names = channels();
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    std::string known;
    for (const auto& other : names) known += (known.empty() ? "" : ", ") + other;
    throw usage_error("panel: there is no channel \"" + std::string(name) + "\"; " +
                      (known.empty() ? std::string("the panel is empty.") : "there are " + known + "."));
  }

  /// Rows of all series together.
  std::size_t rows() const {
    std::size_t sum = 0;
    for (const auto& s : storage_->members) sum += s.length();
    return sum;
  }

  /// The series at the given places, in that order; values are shared. @throws usage_error beyond the last
  panel subset(std::span<const std::size_t> places) const {
    std::vector<std::string> ids;
    std::vector<series> members;
    for (const std::size_t place : places) {
      ids.push_back(id(place));
      members.push_back((*this)[place]);
    }
    return {std::move(ids), std::move(members)};
  }

 private:
  struct storage {
    std::vector<std::string> ids;
    std::vector<series> members;
  };

  std::size_t checked(std::size_t place) const {
    if (place >= size())
      throw usage_error("panel: series " + std::to_string(place) + " was asked for; there are " +
                        std::to_string(size()) + ", counted from 0.");
    return place;
  }

  std::shared_ptr<const storage> storage_;
};

}  // namespace fmsb::data
