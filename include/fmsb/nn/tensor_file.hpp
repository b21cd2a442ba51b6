#pragma once
#include "fmsb/core/error.hpp"              // usage_error
#include "fmsb/data/stored_tensor.hpp"      // stored_tensor, element_type
#include "fmsb/data/write_safetensors.hpp"  // write_safetensors
#include "fmsb/nn/tensor.hpp"               // tensor

#include <array>       // std::array
#include <cstddef>     // std::byte, std::size_t
#include <cstdint>     // std::uintptr_t
#include <cstring>     // std::memcpy
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

namespace fmsb::nn {

namespace detail {

inline constexpr std::array<std::pair<data::element_type, at::ScalarType>, 13> scalar_types{
    {{data::element_type::f64, at::kDouble},
     {data::element_type::f32, at::kFloat},
     {data::element_type::f16, at::kHalf},
     {data::element_type::bf16, at::kBFloat16},
     {data::element_type::i64, at::kLong},
     {data::element_type::i32, at::kInt},
     {data::element_type::i16, at::kShort},
     {data::element_type::i8, at::kChar},
     {data::element_type::u64, at::kUInt64},
     {data::element_type::u32, at::kUInt32},
     {data::element_type::u16, at::kUInt16},
     {data::element_type::u8, at::kByte},
     {data::element_type::boolean, at::kBool}}};

}  // namespace detail

/// LibTorch's name for a number type of a file.
inline at::ScalarType scalar_type_of(data::element_type type) {
  for (const auto& [stored, scalar] : detail::scalar_types)
    if (stored == type) return scalar;
  return at::ScalarType::Undefined;
}

/// The number type under which a file holds LibTorch's.
/// @throws usage_error for complex, quantised and 8-bit floating-point numbers
inline data::element_type element_type_of(at::ScalarType type) {
  for (const auto& [stored, scalar] : detail::scalar_types)
    if (scalar == type) return stored;
  throw usage_error(std::string("fmsb::nn: a safetensors file holds no numbers of type ") +
                    c10::toString(type) + "; convert the tensor first, as in x.to(at::kFloat).");
}

/// A tensor on the CPU with the numbers and the number type of a stored one; a copy, so that the file may go.
inline tensor tensor_of(const data::stored_tensor& stored) {
  auto copy = at::empty(stored.shape, at::TensorOptions().dtype(scalar_type_of(stored.type)));
  if (!stored.bytes.empty()) std::memcpy(copy.mutable_data_ptr(), stored.bytes.data(), stored.bytes.size());
  return copy;
}

namespace detail {

/// A tensor to be read only, over the bytes of the file where they lie as the processor wants them, else over
/// a copy.
inline tensor borrowed(const data::stored_tensor& stored) {
  const auto options = at::TensorOptions().dtype(scalar_type_of(stored.type));
  const auto address = reinterpret_cast<std::uintptr_t>(stored.bytes.data());
  if (!stored.bytes.empty() && address % data::bytes_of(stored.type) == 0)
    return at::from_blob(const_cast<std::byte*>(stored.bytes.data()), stored.shape, options);
  return tensor_of(stored);
}

}  // namespace detail

/// A tensor and the name under which a file holds it.
struct named_tensor {
  std::string name{};
  tensor value{};
};

/// Writes tensors into a safetensors file, as a whole or not at all. Those that are not contiguous or not on
/// the CPU are copied first, all others are written from where they lie.
///
/// @throws usage_error for an undefined tensor or a number type that the format lacks, and as
/// write_safetensors
inline void write_tensors(const std::filesystem::path& target, const std::vector<named_tensor>& tensors,
                          const data::text_map& metadata = {{"format", "pt"}}) {
  std::vector<tensor> kept;
  std::vector<data::stored_tensor> stored;
  for (const auto& [name, value] : tensors) {
    if (!value.defined())
      throw usage_error("fmsb::nn::write_tensors: \"" + name + "\" is an undefined tensor; leave it out.");
    kept.push_back(value.detach().to(at::kCPU).contiguous());
    const auto& x = kept.back();
    stored.push_back({.name = name,
                      .type = element_type_of(x.scalar_type()),
                      .shape = x.sizes().vec(),
                      .bytes = {static_cast<const std::byte*>(x.const_data_ptr()), x.nbytes()}});
  }
  data::write_safetensors(target, std::move(stored), metadata);
}

}  // namespace fmsb::nn
