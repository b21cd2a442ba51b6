#pragma once
#include "scoring.hpp"  // outcome, test_set
#include "task.hpp"     // task

#include <vector>  // std::vector

namespace driver {

/// The last number of each context, held over the horizon.
std::vector<outcome> last_values(const task& of, const test_set& test, const scoring_options& how);

/// Auto-AR, pooled: one autoregression for all ids of a target; order and differencing are those with the
/// least error on the validation windows, fitted on the train ids; it is then fitted on train and validation
/// together. No stretch of a fit spans a gap or two ids; in a context gaps are filled by straight lines.
/// @throws data_error where the stretches are too few
std::vector<outcome> pooled_autoregressions(const task& of, const test_set& test, const scoring_options& how);

}  // namespace driver
