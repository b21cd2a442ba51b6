#include "fmsb/data/safetensors.hpp"
#include "fmsb/data/write_safetensors.hpp"

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <cstdlib>      // std::abort
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

// libFuzzer calls this with one input after the other. Any bytes are either a file, of which every promise of
// safetensors_file then holds, or refused with a data_error.

namespace data = fmsb::data;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// All that the tensors of an accepted file say of themselves; returns something of every byte, so that each
/// is read.
unsigned walk(const data::safetensors_file& file, std::size_t total) {
  unsigned sum = 0;
  std::size_t bytes = 0;
  for (const auto& tensor : file.tensors()) {
    require(file.find(tensor.name) == &tensor);
    auto wanted = data::bytes_of(tensor.type);
    for (const auto size : tensor.shape) wanted *= static_cast<std::size_t>(size);
    require(tensor.bytes.size() == wanted);
    for (const auto byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
    bytes += wanted;
  }
  require(bytes <= total);
  return sum;
}

void try_file(std::span<const std::byte> bytes) {
  try {
    const auto file = data::parse_safetensors(bytes, "input");
    const auto sum = walk(file, bytes.size());
    // What was read and is written again reads the same.
    auto again = data::detail::safetensors_head(file.tensors(), file.metadata());
    for (const auto& tensor : file.tensors())
      again.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    const auto copy = data::parse_safetensors(std::as_bytes(std::span(again)), "copy");
    require(copy.metadata() == file.metadata() && copy.size() == file.size() &&
            walk(copy, again.size()) == sum);
    for (const auto& tensor : file.tensors()) {
      const auto& twin = copy.at(tensor.name);
      require(twin.type == tensor.type && twin.shape == tensor.shape);
    }
  } catch (const fmsb::data_error& refused) {
    require(std::string_view(refused.what()).starts_with("input"));
  }
}

void try_index(std::string_view text) {
  try {
    for (const auto& item : data::detail::read_shard_map(text, "index"))
      require(!item.shard.empty() && item.shard != ".." && item.shard.find('/') == std::string::npos);
  } catch (const fmsb::data_error& refused) {
    require(std::string_view(refused.what()).starts_with("index"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try_file(std::as_bytes(std::span(bytes, size)));
  try_index({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
