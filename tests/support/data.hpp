#pragma once
#include <filesystem>   // std::filesystem::path
#include <optional>     // std::optional
#include <string_view>  // std::string_view

namespace fmsb::test {

/// A file of the shared data sets, e.g. `timeseries/ETTh1.csv`: looked for under $FMSB_DATA, else under
/// `../shared/data` beside the project's root. Nothing when it is not there: the test then calls `skip`.
std::optional<std::filesystem::path> data_file(std::string_view name);

/// Says that the running test case cannot do its work, and why; the caller returns at once. CTest counts the
/// test as skipped by the line `skipped: <test>: <reason>`, which is printed when the test case has ended
/// without a failed assertion.
void skip(std::string_view reason);

}  // namespace fmsb::test
