#pragma once
#include "options.hpp"  // options
#include "results.hpp"  // results

#include <string>  // std::string

namespace auto_ar {

/// The table for the terminal.
std::string to_text(const options& wanted, const results& found);

/// Writes the forecast, the report and the plot that were asked for, each as a whole or not at all.
void write_files(const options& wanted, const results& found);

}  // namespace auto_ar
