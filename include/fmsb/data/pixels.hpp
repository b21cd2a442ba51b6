#pragma once
#include <cstddef>  // std::byte, std::size_t
#include <span>     // std::span
#include <vector>   // std::vector

namespace fmsb::data {

/// What the bytes of an image become.
enum class pixel_range {
  unit,   ///< 0 to 1, each divided by 255
  bytes,  ///< 0 to 255, as they are
};

/// The numbers of an image's bytes.
inline std::vector<float> pixels(std::span<const std::byte> bytes, pixel_range range) {
  std::vector<float> out(bytes.size());
  // Divided, not multiplied by 1/255, so that every number is the nearest to the quotient.
  const float one = range == pixel_range::unit ? 255.0f : 1.0f;
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<float>(bytes[i]) / one;
  return out;
}

}  // namespace fmsb::data
