#pragma once
#include "fmsb/core/random_bits.hpp"       // random_bits
#include "fmsb/data/random_draws.hpp"      // draw_normal
#include "fmsb/data/safetensors.hpp"       // open_safetensors
#include "fmsb/models/chronos/config.hpp"  // config
#include "fmsb/nn/tensor_file.hpp"         // tensor_of

#include "support/message.hpp"  // message_of

#include <algorithm>   // std::ranges::find_if
#include <cmath>       // std::isnan
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <limits>      // std::numeric_limits
#include <span>        // std::span
#include <string>      // std::string
#include <vector>      // std::vector

namespace fmsb::test {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// A file of tests/parity/chronos/fixtures.
inline data::safetensors_file chronos_fixture(const std::string& name) {
  return data::open_safetensors(std::filesystem::path(FMSB_SOURCE_DIR) / "tests/parity/chronos/fixtures" /
                                name);
}

inline tensor read(const data::safetensors_file& file, const std::string& name) {
  return nn::tensor_of(file.at(name));
}

/// Rows of a contiguous [rows, columns] double tensor.
inline std::vector<std::span<const double>> rows_of(const tensor& x) {
  std::vector<std::span<const double>> rows;
  for (index_t i = 0; i < x.size(0); ++i)
    rows.emplace_back(x.const_data_ptr<double>() + i * x.size(1), static_cast<std::size_t>(x.size(1)));
  return rows;
}

inline std::vector<std::span<const double>> spans_of(const std::vector<std::vector<double>>& rows) {
  return {rows.begin(), rows.end()};
}

/// Rows without the gaps in front of them, as they were before somebody padded them; one gap is left of a row
/// of gaps.
inline std::vector<std::span<const double>> trimmed(std::vector<std::span<const double>> rows) {
  for (auto& row : rows)
    while (row.size() > 1 && std::isnan(row[0])) row = row.subspan(1);
  return rows;
}

inline std::vector<double> normals(std::uint64_t seed, std::size_t count) {
  random_bits bits(seed);
  std::vector<double> values(count);
  for (double& x : values) x = data::draw_normal(bits);
  return values;
}

/// Equal in shape, type and every number.
inline bool same(const tensor& a, const tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && a.equal(b);
}

}  // namespace fmsb::test
