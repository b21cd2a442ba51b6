#pragma once
#include "fmsb/train/history.hpp"  // history

#include <string>  // std::string

namespace driver {

/// A signal ended a command, which has left a checkpoint.
struct stopped {
  int exit_code = 0;
  std::string words;
};

/// @throws stopped where a signal ended that training, with the steps that it had done
void throw_if_stopped(const fmsb::train::history& past);

}  // namespace driver
