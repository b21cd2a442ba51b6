#pragma once
#include "fmsb/core/extent.hpp"  // index_t

#include <array>        // std::array
#include <cstddef>      // std::byte, std::size_t
#include <cstdint>      // std::uint8_t
#include <map>          // std::map
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace fmsb::data {

/// What one number of a stored tensor is. The order is that of the reference implementation of safetensors,
/// which writes the tensors of the last type first.
enum class element_type : std::uint8_t { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

namespace detail {

struct element_facts {
  std::string_view name;
  std::size_t bytes;
};

inline constexpr std::array<element_facts, 13> element_table{{{"BOOL", 1},
                                                              {"U8", 1},
                                                              {"I8", 1},
                                                              {"I16", 2},
                                                              {"U16", 2},
                                                              {"F16", 2},
                                                              {"BF16", 2},
                                                              {"I32", 4},
                                                              {"U32", 4},
                                                              {"F32", 4},
                                                              {"F64", 8},
                                                              {"I64", 8},
                                                              {"U64", 8}}};

}  // namespace detail

/// The name of a number type in a file: "F32", "BF16", "BOOL".
constexpr std::string_view name_of(element_type type) {
  return detail::element_table[static_cast<std::size_t>(type)].name;
}

/// Bytes of one number.
constexpr std::size_t bytes_of(element_type type) {
  return detail::element_table[static_cast<std::size_t>(type)].bytes;
}

/// The number type of a name, if it is one that fmsb holds.
constexpr std::optional<element_type> element_type_named(std::string_view name) {
  for (std::size_t i = 0; i < detail::element_table.size(); ++i)
    if (detail::element_table[i].name == name) return static_cast<element_type>(i);
  return std::nullopt;
}

/// A tensor as it lies in a file, or is to be written into one: row after row, little-endian, without gaps.
/// The bytes belong to somebody else, such as the file that was opened.
struct stored_tensor {
  std::string name{};  ///< UTF-8
  element_type type = element_type::f32;
  std::vector<index_t> shape{};  ///< empty for a single number
  std::span<const std::byte> bytes{};
};

/// What a file says about itself: names and texts.
using text_map = std::map<std::string, std::string, std::less<>>;

}  // namespace fmsb::data
