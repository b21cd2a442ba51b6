#pragma once
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path

namespace driver {

/// Writes a table `sequence,label` of random DNA with two planted words, TTGACA and TATAAT, at about the same
/// place: 17 letters apart in class "promoter", 11 to 14 or 20 to 23 in class "decoy". Counting words cannot
/// tell them apart, only seeing both at once can.
void write_generated_sequences(const std::filesystem::path& file, std::size_t count, std::uint64_t seed);

}  // namespace driver
