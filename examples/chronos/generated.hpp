#pragma once
#include "fmsb/data/series.hpp"  // series

#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <vector>      // std::vector

namespace driver {

/// What to pretrain on: series from random kernels, mixtures of these and of `given`, and `given` itself.
struct generated_options {
  std::size_t kernels = 1000, mixtures = 1000, length = 512;
  double levels = 0.5;  ///< share of the series from kernels that stand on a level, rather than about zero
  std::uint64_t seed = 1;
};
std::vector<fmsb::data::series> training_series(std::vector<fmsb::data::series> given,
                                                const generated_options& how);

/// Writes a table like that of a hospital: so many patients, hourly heart rate and mean pressure of 48 hours
/// around a level of their own, to which they return, with a daily course, episodes and gaps. Nobody's data.
void write_generated_vitals(const std::filesystem::path& file, std::size_t patients, std::uint64_t seed);

}  // namespace driver
