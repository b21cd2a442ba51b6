#pragma once
#include "fmsb/core/error.hpp"               // data_error
#include "fmsb/data/safetensors_header.hpp"  // shown, safetensors_header_limit
#include "fmsb/data/text_encoding.hpp"       // is_utf8

#include <nlohmann/json.hpp>  // nlohmann::json::sax_parse

#include <algorithm>     // std::sort
#include <cstddef>       // std::size_t
#include <cstdint>       // std::int64_t
#include <filesystem>    // std::filesystem::path
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::error_code
#include <utility>       // std::move
#include <vector>        // std::vector

namespace fmsb::data::detail {

/// A tensor's name and the file that holds it.
struct sharded_tensor {
  std::string name{}, shard{};
};

[[noreturn]] inline void refuse_index(const std::string& file, const std::string& what) {
  throw data_error(file + ": " + what + ". The index is damaged or none of safetensors; fetch it again.");
}

/// Keeps the object "weight_map" of an index and passes over everything else in it.
class shard_map_handler {
 public:
  explicit shard_map_handler(const std::string& file) : file_(file) {}

  std::vector<sharded_tensor> tensors{};
  bool found = false;

  bool null() { return other(); }
  bool boolean(bool) { return other(); }
  bool number_integer(std::int64_t) { return other(); }
  bool number_unsigned(std::uint64_t) { return other(); }
  bool number_float(double, const std::string&) { return other(); }
  bool binary(std::vector<std::uint8_t>&) { return other(); }
  bool start_array(std::size_t) { return deeper(); }
  bool end_array() { return shallower(); }

  bool string(std::string& text) {
    if (!inside_ || depth_ != 2) return other();
    // A name and no path: an index that was fetched must not lead to other files of this machine.
    if (text.empty() || text == "." || text == ".." ||
        text.find_first_of(std::string_view("/\\\0", 3)) != text.npos)
      refuse_index(file_, "tensor " + shown(key_) + " is said to be in " + shown(text) +
                              ", which is not the plain name of a file beside the index");
    tensors.push_back({std::move(key_), std::move(text)});
    return true;
  }

  bool key(std::string& text) {
    key_ = std::move(text);
    return true;
  }

  bool start_object(std::size_t) {
    if (depth_ == 1 && key_ == "weight_map") {
      if (found) refuse_index(file_, "it has two objects weight_map");
      found = true;
      ++depth_;
      inside_ = true;
      return true;
    }
    return deeper();
  }
  bool end_object() { return shallower(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    refuse_index(file_, "it is no JSON from byte " + std::to_string(position) + " on");
  }

 private:
  bool other() const {
    if (inside_)
      refuse_index(file_, "its weight_map has something other than a file name for " + shown(key_));
    if (depth_ == 1 && key_ == "weight_map") refuse_index(file_, "its weight_map is not an object");
    return true;
  }
  bool deeper() {
    other();
    ++depth_;
    return true;
  }
  bool shallower() {
    if (--depth_ == 1) inside_ = false;
    return true;
  }

  const std::string& file_;
  std::string key_;
  std::size_t depth_ = 0;
  bool inside_ = false;
};

/// Which shard holds which tensor, by rising names of the tensors.
/// @throws data_error where the text is no index, names a tensor twice or a shard by a path
inline std::vector<sharded_tensor> read_shard_map(std::string_view text, const std::string& file) {
  if (text.size() > safetensors_header_limit)
    refuse_index(file, "it has " + std::to_string(text.size()) + " bytes; at most " +
                           std::to_string(safetensors_header_limit) + " are read");
  if (!is_utf8(text) || text.find('\0') != text.npos) refuse_index(file, "it is not JSON in UTF-8");
  shard_map_handler handler(file);
  nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  if (!handler.found) refuse_index(file, "it has no object weight_map");
  auto& tensors = handler.tensors;
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < tensors.size(); ++i)
    if (tensors[i].name == tensors[i - 1].name)
      refuse_index(file, "its weight_map names tensor " + shown(tensors[i].name) + " twice");
  return std::move(tensors);
}

inline constexpr std::string_view index_suffix = ".safetensors.index.json";

/// The file that stands for a folder: model.safetensors, its index, or the only one of its kind.
inline std::filesystem::path model_file_of(const std::filesystem::path& folder) {
  std::error_code problem;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"})
    if (std::filesystem::exists(folder / name, problem)) return folder / name;
  std::vector<std::filesystem::path> files, indices;
  for (auto entry = std::filesystem::directory_iterator(folder, problem);
       !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    const auto name = entry->path().filename().string();
    if (name.ends_with(index_suffix)) indices.push_back(entry->path());
    if (name.ends_with(".safetensors")) files.push_back(entry->path());
  }
  if (problem) throw data_error(folder.string() + " cannot be listed: " + problem.message() + ".");
  if (indices.size() == 1) return indices[0];
  if (indices.empty() && files.size() == 1) return files[0];
  throw data_error(folder.string() + " holds " + std::to_string(files.size()) + " safetensors files and " +
                   std::to_string(indices.size()) +
                   " indices, none of them named model; name the one that is meant.");
}

}  // namespace fmsb::data::detail
