#pragma once
#include "fmsb/evaluate/scores.hpp"  // scores
#include "fmsb/report/json.hpp"      // json

#include "network.hpp"  // paths
#include "options.hpp"  // scoring_options
#include "task.hpp"     // task

#include <optional>  // std::optional
#include <string>    // std::string
#include <vector>    // std::vector

namespace driver {

/// What one model reached on one target.
struct outcome {
  std::string model, target;
  std::optional<std::int64_t> trained{};  ///< numbers that training changed
  std::optional<double> seconds{};        ///< of training, or of fitting
  fmsb::metrics::scores scores{};
};

using test_sample = std::vector<fmsb::data::panel_window>;

/// What a model says of the windows of one target.
struct target_forecast {
  std::string target;
  paths drawn;
};

/// The windows of every target on which models are compared.
struct test_set {
  std::vector<std::string> targets;
  std::vector<test_sample> windows;

  test_set(const task& of, std::size_t most) {
    for (const auto& target : of.targets) {
      targets.push_back(target.name);
      windows.push_back(some_of(target.test, most));
    }
  }
};

/// Sample paths of every test window. @param label  what the progress line says
std::vector<paths> draw(network& model, const test_set& test, std::size_t horizon, const scoring_options& how,
                        const std::string& label);

/// One outcome a target. With one path a window, it is a point forecast.
std::vector<outcome> score(const std::string& name, const test_set& test, const std::vector<paths>& drawn,
                           const scoring_options& how);

/// Lines for the terminal, target after target.
std::string table_of(const std::vector<outcome>& outcomes);
fmsb::report::json to_json(const std::vector<outcome>& outcomes);

/// What names program, data, split and windows in a report.
fmsb::report::json about(const task& of, const test_set& test, const scoring_options& how);

/// One panel a target: the window of the test set in the middle, with the quantile band of a model; besides,
/// the medians of others.
struct named_paths {
  std::string name;
  const std::vector<paths>* drawn;
};
void plot(const fs::path& file, const test_set& test, const std::vector<named_paths>& models);

/// Before the work begins rather than after it. @throws usage_error
void require_writable(const fs::path& file);
void require_picture(const fs::path& file);

}  // namespace driver
