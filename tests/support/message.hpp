#pragma once
#include <initializer_list>  // std::initializer_list
#include <string>            // std::string
#include <string_view>       // std::string_view

namespace fmsb::test {

/// The sentence with which `act` fails; empty where it does not fail, or not with that kind of error.
template <class Error, class Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const Error& problem) { return problem.what(); }
  return {};
}

/// Whether a sentence holds all of these words.
inline bool says(std::string_view message, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (message.find(word) == std::string_view::npos) return false;
  return true;
}

}  // namespace fmsb::test
