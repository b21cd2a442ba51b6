#pragma once
#include "fmsb/core/error.hpp"         // usage_error
#include "fmsb/data/panel.hpp"         // panel
#include "fmsb/data/panel_splits.hpp"  // panel_part

#include <cmath>     // std::isnan
#include <cstddef>   // std::size_t
#include <iterator>  // std::input_iterator_tag
#include <optional>  // std::optional
#include <span>      // std::span
#include <string>    // std::string
#include <utility>   // std::move
#include <vector>    // std::vector

namespace fmsb::data {

/// Which stretches of a channel are to be forecast.
struct window_rule {
  std::string channel{};     ///< by name; the first where empty
  std::size_t context = 0;   ///< rows that a forecast may see
  std::size_t horizon = 0;   ///< rows to forecast, right after the context
  std::size_t stride = 1;    ///< rows from one window's start to the next's
  std::size_t observed = 1;  ///< numbers that the context must hold at least
  /// Numbers that the horizon must hold at least; all of them where nothing is said.
  std::optional<std::size_t> observed_horizon{};
};

/// One window: views into the panel, which live as long as a panel that shares its values.
struct panel_window {
  std::size_t series = 0;           ///< whose it is: a place in the panel
  std::size_t start = 0;            ///< the first row of the context
  std::span<const double> context;  ///< [context]; a gap is a NaN
  std::span<const double> horizon;  ///< [horizon], the truth; a gap is a NaN
};

/// The windows of every series of a panel that hold enough numbers, series after series and by rising start.
///
/// Kept are the two numbers that place a window; values are never copied. Windows never reach from one series
/// into another.
class panel_windows {
 public:
  /// @throws usage_error for a context, horizon or stride of 0, for more observed numbers than there are
  ///                     rows, and where there is no such channel
  panel_windows(panel whole, window_rule rule) : whole_(std::move(whole)), rule_(std::move(rule)) {
    require_sound();
    if (whole_.empty()) return;
    channel_ = rule_.channel.empty() ? 0 : whole_.channel(rule_.channel);
    for (std::size_t i = 0; i < whole_.size(); ++i) find_in(i);
  }

  std::size_t size() const { return found_.size(); }
  bool empty() const { return found_.empty(); }
  /// Windows that the stride gives, of which `size()` hold enough numbers.
  std::size_t candidates() const { return candidates_; }
  /// Series that have at least one window.
  std::size_t series_with_windows() const { return series_; }
  const panel& whole() const { return whole_; }
  const window_rule& rule() const { return rule_; }

  /// A window by its number, in O(1). @throws usage_error beyond the last
  panel_window operator[](std::size_t number) const {
    if (number >= size())
      throw usage_error("panel_windows: window " + std::to_string(number) + " was asked for; there are " +
                        std::to_string(size()) + ", counted from 0.");
    const auto [series, start] = found_[number];
    const auto rows = whole_[series].channel(channel_).subspan(start, rule_.context + rule_.horizon);
    return {series, start, rows.first(rule_.context), rows.last(rule_.horizon)};
  }

  /// Walks over the windows in order.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = panel_window;
    using difference_type = std::ptrdiff_t;
    using pointer = const panel_window*;
    using reference = panel_window;

    iterator() = default;
    iterator(const panel_windows* windows, std::size_t number) : windows_(windows), number_(number) {}
    panel_window operator*() const { return (*windows_)[number_]; }
    iterator& operator++() {
      ++number_;
      return *this;
    }
    iterator operator++(int) {
      auto before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator&) const = default;

   private:
    const panel_windows* windows_ = nullptr;
    std::size_t number_ = 0;
  };

  iterator begin() const { return {this, 0}; }
  iterator end() const { return {this, size()}; }

 private:
  struct origin {
    std::size_t series, start;
  };

  void require_sound() {
    if (rule_.context == 0 || rule_.horizon == 0 || rule_.stride == 0)
      throw usage_error("panel_windows: a context of " + std::to_string(rule_.context) + ", a horizon of " +
                        std::to_string(rule_.horizon) + " and a stride of " + std::to_string(rule_.stride) +
                        " rows; each must be 1 or more.");
    if (!rule_.observed_horizon) rule_.observed_horizon = rule_.horizon;
    if (rule_.observed > rule_.context || *rule_.observed_horizon > rule_.horizon)
      throw usage_error("panel_windows: " + std::to_string(rule_.observed) + " and " +
                        std::to_string(*rule_.observed_horizon) +
                        " observed numbers are asked for in a context of " + std::to_string(rule_.context) +
                        " and a horizon of " + std::to_string(rule_.horizon) +
                        " rows; ask for no more than there are rows.");
  }

  void find_in(std::size_t series) {
    const auto values = whole_[series].channel(channel_);
    const std::size_t rows = rule_.context + rule_.horizon;
    if (values.size() < rows) return;
    known_.assign(1, 0);  // known_[t]: numbers in the first t rows
    for (const double x : values) known_.push_back(known_.back() + (std::isnan(x) ? 0u : 1u));
    const std::size_t before = found_.size();
    for (std::size_t start = 0; start + rows <= values.size(); start += rule_.stride) {
      const std::size_t middle = start + rule_.context;
      ++candidates_;
      if (known_[middle] - known_[start] >= rule_.observed &&
          known_[start + rows] - known_[middle] >= rule_.observed_horizon.value_or(rule_.horizon))
        found_.push_back({series, start});
    }
    if (found_.size() > before) ++series_;
  }

  panel whole_;
  window_rule rule_;
  std::size_t channel_ = 0;
  std::vector<origin> found_;
  std::vector<std::size_t> known_;
  std::size_t candidates_ = 0, series_ = 0;
};

/// The windows of a part, whose use stays in the type: what trains can ask for train windows.
template <role R>
class part_windows : public panel_windows {
 public:
  static constexpr role kind = R;

  /// @throws usage_error as panel_windows
  part_windows(const panel_part<R>& part, window_rule rule)
      : panel_windows(part.members(), std::move(rule)) {}
};

using train_windows = part_windows<role::train>;
using validation_windows = part_windows<role::validation>;
using test_windows = part_windows<role::test>;

}  // namespace fmsb::data
