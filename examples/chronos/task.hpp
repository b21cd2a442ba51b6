#pragma once
#include "fmsb/data/panel.hpp"          // panel
#include "fmsb/data/panel_splits.hpp"   // panel_splits
#include "fmsb/data/panel_windows.hpp"  // validation_windows, test_windows

#include "network.hpp"  // past_and_future
#include "options.hpp"  // task_options

#include <string>  // std::string
#include <vector>  // std::vector

namespace driver {

/// Windows of one target, patients apart.
struct target_windows {
  std::string name;
  fmsb::data::train_windows train;
  fmsb::data::validation_windows validation;
  fmsb::data::test_windows test;
};

/// What is to be forecast, and what may be learned from.
struct task {
  std::string file;  ///< its name
  std::uint64_t checksum = 0;
  fmsb::data::panel_splits splits;
  std::vector<target_windows> targets;
  fmsb::data::window_rule rule;  ///< without a channel

  /// Every target of the train part, drawn with equal chance for each window.
  fmsb::chronos::windows examples() const;
  /// At most so many windows of the validation part, evenly spread over each target.
  std::vector<past_and_future> held_out(std::size_t most) const;
  /// "1,664 train, 238 validation and 475 test ids ..."
  std::string text() const;
};

/// @throws usage_error, data_error
task read_task(const task_options& wanted);

/// The names of a table's columns. @throws data_error
std::vector<std::string> header_of(const fs::path& file);

/// At most so many windows, evenly spread; all where `most` is 0.
template <class Windows>
std::vector<fmsb::data::panel_window> some_of(const Windows& all, std::size_t most) {
  const std::size_t count = most == 0 || most > all.size() ? all.size() : most;
  std::vector<fmsb::data::panel_window> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(all[i * all.size() / count]);
  return out;
}

}  // namespace driver
