#pragma once
#include "fmsb/report/json.hpp"  // json

#include "dataset.hpp"  // dataset

#include <cstdint>  // std::int64_t, std::uint64_t
#include <span>     // std::span
#include <string>   // std::string
#include <vector>   // std::vector

namespace driver {

/// What a classifier scores on the test part, all of it and the examples without a copy in train.
/// @param predicted      [examples], classes
/// @param probabilities  [examples, classes]; empty: the classifier has none
fmsb::report::json scores_of(const dataset& of, std::span<const int> predicted,
                             const std::vector<float>& probabilities = {});
/// The classes with the largest probability.
std::vector<int> predicted_of(const std::vector<float>& probabilities, std::size_t classes);

/// The row called `name` of a report's outcomes, added at the end where there is none.
fmsb::report::json& outcome_called(fmsb::report::json& report, const std::string& name);
/// Whether a run with that seed and those options is in an outcome already.
bool holds_run(const fmsb::report::json& outcome, const fmsb::report::json& options, std::uint64_t seed);

/// Outcomes as a table: what is searched first, floors below.
std::string table_of(const fmsb::report::json& report);

}  // namespace driver
