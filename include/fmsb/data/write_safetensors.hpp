#pragma once
#include "fmsb/core/error.hpp"               // usage_error
#include "fmsb/core/pending_file.hpp"        // pending_file
#include "fmsb/data/safetensors_header.hpp"  // byte_count_of, shown, metadata_key
#include "fmsb/data/stored_tensor.hpp"       // stored_tensor, text_map
#include "fmsb/data/text_encoding.hpp"       // is_utf8

#include <nlohmann/json.hpp>  // nlohmann::json: the escapes of a text

#include <algorithm>    // std::sort
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

namespace detail {

inline std::string json_text(std::string_view text) {
  if (!is_utf8(text))
    throw usage_error("write_safetensors: the name or text " + shown(text) +
                      " is not UTF-8, and the format holds nothing else; convert it by to_utf8.");
  return nlohmann::json(std::string(text)).dump();
}

/// What is wrong with a tensor that is to be written, if anything.
inline void require_writable(const stored_tensor& tensor) {
  const auto wanted = byte_count_of(tensor.type, tensor.shape);
  if (!wanted || *wanted != tensor.bytes.size())
    throw usage_error("write_safetensors: tensor " + shown(tensor.name) + " has " +
                      std::to_string(tensor.bytes.size()) + " bytes, but its shape " +
                      shown_shape(tensor.shape) + " of " + std::string(name_of(tensor.type)) + " takes " +
                      (wanted ? std::to_string(*wanted) : "more than can be counted") + ".");
  if (tensor.shape.size() > most_dimensions)
    throw usage_error("write_safetensors: tensor " + shown(tensor.name) + " has " +
                      std::to_string(tensor.shape.size()) + " dimensions; at most " +
                      std::to_string(most_dimensions) + " can be read back.");
  if (tensor.name == metadata_key)
    throw usage_error("write_safetensors: no tensor can be named __metadata__; the format needs that name.");
}

/// Length and header for tensors in the order given, padded with blanks to whole words of 8 bytes.
inline std::string safetensors_head(const std::vector<stored_tensor>& tensors, const text_map& metadata) {
  std::string json;
  if (!metadata.empty()) {
    for (const auto& [name, text] : metadata)
      json += (json.empty() ? "" : ",") + json_text(name) + ":" + json_text(text);
    json = json_text(metadata_key) + ":{" + json + "}";
  }
  std::uint64_t place = 0;
  for (const auto& tensor : tensors) {
    std::string shape;
    for (const auto size : tensor.shape) {
      if (!shape.empty()) shape += ',';
      shape += std::to_string(size);
    }
    json += (json.empty() ? "" : ",") + json_text(tensor.name) + ":{\"dtype\":\"" +
            std::string(name_of(tensor.type)) + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
            std::to_string(place) + "," + std::to_string(place + tensor.bytes.size()) + "]}";
    place += tensor.bytes.size();
  }
  json = "{" + json + "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > safetensors_header_limit)
    throw usage_error("write_safetensors: the names of " + std::to_string(tensors.size()) +
                      " tensors make a header of " + std::to_string(json.size()) + " bytes; " +
                      std::to_string(safetensors_header_limit) + " are allowed. Write several files.");
  std::string head;
  for (int i = 0; i < 8; ++i) head += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return head + json;
}

}  // namespace detail

/// Writes a safetensors file as a whole or not at all: temporary file, flush, rename.
///
/// Order and spelling are those of the reference implementation: by number type (U64, I64, F64, F32, U32,
/// I32, BF16, F16, U16, I16, I8, U8, BOOL), then by the bytes of the names. A file is the same, byte for
/// byte, as the one that Python's safetensors writes of the same tensors with at most one entry of metadata;
/// it writes several in any order, this function by their names.
///
/// @param tensors   with bytes that fit type and shape
/// @param metadata  texts that say what the file is; none is written if empty
/// @throws usage_error where a name stands twice, is not UTF-8 or is __metadata__, where bytes do not fit, or
/// the file
///         cannot be created there; error where writing it fails
inline void write_safetensors(const std::filesystem::path& target, std::vector<stored_tensor> tensors,
                              const text_map& metadata = {}) {
  for (const auto& tensor : tensors) detail::require_writable(tensor);
  std::sort(tensors.begin(), tensors.end(), [](const stored_tensor& a, const stored_tensor& b) {
    return a.type != b.type ? a.type > b.type : a.name < b.name;
  });
  std::vector<std::string_view> names;
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw usage_error("write_safetensors: two tensors are named " + detail::shown(*twice) + ".");

  const auto head = detail::safetensors_head(tensors, metadata);
  pending_file file(target);
  file.write(head);
  for (const auto& tensor : tensors)
    file.write({reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
  file.commit();
}

}  // namespace fmsb::data
