#pragma once
#include <algorithm>   // std::find
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

namespace adapters {

/// What the command line asked for.
struct options {
  std::filesystem::path csv, save;
  std::string target;             ///< the last column when empty
  std::vector<std::string> only;  ///< methods; all when empty
  std::size_t rows = 1000, pretraining_steps = 1500, steps = 300;
  std::uint64_t seed = 1;
  bool tree = false;

  bool takes(const std::string& method) const {
    return only.empty() || std::find(only.begin(), only.end(), method) != only.end();
  }
};

/// Pretrains, adapts by every method, merges, and gives what the program prints.
///
/// @throws fmsb::usage_error, fmsb::data_error
std::string run(const options& wanted);

}  // namespace adapters
