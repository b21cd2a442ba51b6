#pragma once
#include "fmsb/report/json.hpp"  // json

#include "dataset.hpp"  // dataset
#include "options.hpp"  // search_command

namespace driver {

/// What `dash search` left of itself for the commands that follow.
struct run_folder {
  fs::path folder;
  search_command search;         ///< as it was given, files by absolute paths
  fmsb::report::json described;  ///< run.json
  fmsb::report::json report;     ///< report.json; an object without members where there is none yet

  void write_report() const;
};

/// Makes the folder, or opens that of the same search, which goes on.
/// @throws usage_error where it holds another search
run_folder begin_run(const search_command& wanted, const dataset& of);
/// @throws data_error where the folder holds no run
run_folder open_run(const fs::path& folder);
/// The examples of a run. @throws data_error where the files are not those that were searched
dataset data_of(const run_folder& run);

/// Of each place the index of its point in the space, as the run's report has it.
/// @throws data_error where the search has not finished
std::vector<std::size_t> found_points(const run_folder& run);

}  // namespace driver
