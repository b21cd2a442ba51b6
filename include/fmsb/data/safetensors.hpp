#pragma once
#include "fmsb/core/error.hpp"               // data_error
#include "fmsb/data/memory_map.hpp"          // memory_map
#include "fmsb/data/safetensors_header.hpp"  // read_safetensors_header
#include "fmsb/data/safetensors_shards.hpp"  // read_shard_map, model_file_of
#include "fmsb/data/stored_tensor.hpp"       // stored_tensor

#include <algorithm>     // std::lower_bound, std::sort
#include <bit>           // std::endian
#include <cstddef>       // std::byte, std::size_t
#include <filesystem>    // std::filesystem::path
#include <memory>        // std::shared_ptr
#include <span>          // std::span
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::error_code
#include <utility>       // std::move
#include <vector>        // std::vector

namespace fmsb::data {

static_assert(
    std::endian::native == std::endian::little,
    "fmsb::data::safetensors_file hands out bytes as they lie in the file, which are little-endian");

/// The tensors of a safetensors file, or of all shards of one model, without a copy: names, types and shapes
/// are read, the numbers stay in the file until somebody looks at them. Cheap to copy; the bytes live as long
/// as a copy.
///
/// Source: the format's specification, github.com/huggingface/safetensors.
class safetensors_file {
 public:
  /// In the order in which their data lie in the file; shard after shard, by rising names of the shards.
  const std::vector<stored_tensor>& tensors() const { return held_->tensors; }
  std::size_t size() const { return held_->tensors.size(); }

  /// The tensor of a name, or null.
  const stored_tensor* find(std::string_view name) const {
    const auto& order = held_->by_name;
    const auto place =
        std::lower_bound(order.begin(), order.end(), name,
                         [&](std::size_t i, std::string_view wanted) { return tensors()[i].name < wanted; });
    return place == order.end() || tensors()[*place].name != name ? nullptr : &tensors()[*place];
  }
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// The tensor of a name.
  /// @throws data_error where there is none, with some of the names that there are
  const stored_tensor& at(std::string_view name) const {
    if (const auto* found = find(name)) return *found;
    std::string some;
    for (std::size_t i = 0; i < std::min<std::size_t>(size(), 3); ++i)
      some += (i == 0 ? ", such as " : ", ") + detail::shown(tensors()[held_->by_name[i]].name);
    throw data_error(held_->name + " has no tensor " + detail::shown(name) + "; it has " +
                     std::to_string(size()) + some + ".");
  }

  /// What the file says about itself, such as {"format": "pt"}. Of several shards: what the first one says.
  const text_map& metadata() const { return held_->metadata; }

  /// What messages call the file: the path of the file or index that was opened.
  const std::string& name() const { return held_->name; }

 private:
  friend safetensors_file parse_safetensors(std::span<const std::byte>, std::string);
  friend safetensors_file open_safetensors(const std::filesystem::path&);

  struct contents {
    std::vector<memory_map> maps{};
    std::vector<stored_tensor> tensors{};
    std::vector<std::size_t> by_name{};
    text_map metadata{};
    std::string name{};
  };

  explicit safetensors_file(contents&& held) : held_(std::make_shared<const contents>(std::move(held))) {}

  static contents of_bytes(std::span<const std::byte> bytes, std::string name) {
    auto read = read_safetensors_header(bytes, name);
    contents out{.tensors = std::move(read.tensors), .metadata = std::move(read.metadata)};
    out.by_name = detail::order_by_name(out.tensors, name);
    out.name = std::move(name);
    return out;
  }

  static contents of_file(const std::filesystem::path& path) {
    memory_map map(path);
    auto out = of_bytes(map.bytes(), path.string());
    out.maps.push_back(std::move(map));
    return out;
  }

  static contents of_shards(const std::filesystem::path& index) {
    contents out{.name = index.string()};
    const memory_map text(index);
    const auto wanted = detail::read_shard_map(
        {reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size()}, out.name);
    std::vector<std::string> shards;
    for (const auto& item : wanted) shards.push_back(item.shard);
    std::sort(shards.begin(), shards.end());
    shards.erase(std::unique(shards.begin(), shards.end()), shards.end());

    const auto shard_of = [&](std::string_view name) -> std::string_view {
      const auto place = std::lower_bound(wanted.begin(), wanted.end(), name,
                                          [](const auto& item, std::string_view n) { return item.name < n; });
      return place == wanted.end() || place->name != name ? std::string_view() : place->shard;
    };
    for (const auto& shard : shards) {
      auto part = of_file(index.parent_path() / shard);
      if (out.maps.empty()) out.metadata = std::move(part.metadata);
      out.maps.push_back(std::move(part.maps.front()));
      for (auto& tensor : part.tensors)
        if (shard_of(tensor.name) == shard) out.tensors.push_back(std::move(tensor));
    }
    out.by_name = detail::order_by_name(out.tensors, out.name);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (i >= out.by_name.size() || out.tensors[out.by_name[i]].name != wanted[i].name)
        throw data_error(out.name + " says that tensor " + detail::shown(wanted[i].name) + " is in " +
                         wanted[i].shard + ", but it is not there; fetch the index and its shards together.");
    return out;
  }

  std::shared_ptr<const contents> held_;
};

/// Opens a safetensors file, an index (`*.safetensors.index.json`) with the shards beside it, or a folder
/// that holds one of these: model.safetensors, model.safetensors.index.json, or the only one of its kind.
///
/// @throws data_error where nothing can be opened, or a file is malformed: it names file, tensor and what is
/// wrong
inline safetensors_file open_safetensors(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto file = std::filesystem::is_directory(path, ignored) ? detail::model_file_of(path) : path;
  return safetensors_file(file.string().ends_with(".json") ? safetensors_file::of_shards(file)
                                                           : safetensors_file::of_file(file));
}

/// The same from memory, which must outlive what is returned.
///
/// @param bytes  a whole safetensors file
/// @param name   what messages call it
inline safetensors_file parse_safetensors(std::span<const std::byte> bytes, std::string name = "memory") {
  return safetensors_file(safetensors_file::of_bytes(bytes, std::move(name)));
}

}  // namespace fmsb::data
