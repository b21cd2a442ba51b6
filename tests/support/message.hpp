#pragma once
#include <string>  // std::string

namespace fmsb::test {

/// The sentence with which `act` fails; empty where it does not fail, or not with that kind of error.
template <class Error, class Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const Error& problem) { return problem.what(); }
  return {};
}

}  // namespace fmsb::test
