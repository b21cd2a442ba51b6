#include "fuzz/safetensors_cases.hpp"

#include <filesystem>  // std::filesystem::path
#include <fstream>     // std::ofstream
#include <iostream>    // std::cerr

/// Writes the first inputs of the fuzzer into a folder.
int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_safetensors_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  for (const auto& [name, bytes, refusal] : fmsb::test::safetensors_cases())
    std::ofstream(folder / name, std::ios::binary) << bytes;
  for (const auto& [name, bytes, refusal] : fmsb::test::shard_map_cases())
    std::ofstream(folder / ("index_" + name), std::ios::binary) << bytes;
  return std::filesystem::is_empty(folder) ? 1 : 0;
}
