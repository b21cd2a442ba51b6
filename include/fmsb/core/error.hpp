#pragma once
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string

namespace fmsb {

/// Base of every exception that fmsb throws on purpose. `what()` is one sentence or two: what was
/// wrong, where, what was given, what to do.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The caller asked for something that cannot be: an order longer than the context, a split that
/// leaves no rows, an unknown option. Drivers end with exit code 2.
struct usage_error : error {
  using error::error;
};

/// The input cannot be used: a missing file, text where a number belongs, a series that is too
/// short. The message names the file, row and column. Drivers end with exit code 3.
struct data_error : error {
  using error::error;
};

}  // namespace fmsb
