#pragma once
#include "fmsb/core/error.hpp"          // data_error
#include "fmsb/data/stored_tensor.hpp"  // stored_tensor, element_type, text_map
#include "fmsb/data/text_encoding.hpp"  // is_utf8

#include <nlohmann/json.hpp>  // nlohmann::json::sax_parse: iterative, so that depth costs no stack

#include <algorithm>    // std::sort, std::max
#include <array>        // std::array
#include <cstddef>      // std::byte, std::size_t
#include <cstdint>      // std::uint64_t
#include <limits>       // std::numeric_limits
#include <numeric>      // std::iota
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <tuple>        // std::tie
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// The longest header that safetensors allows, in bytes.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// What a safetensors file holds. The tensors stand in the order of their data, those without any by their
/// names.
struct safetensors_contents {
  std::vector<stored_tensor> tensors{};
  text_map metadata{};
};

namespace detail {

inline constexpr std::string_view metadata_key = "__metadata__";
inline constexpr std::size_t most_dimensions = 64;

/// A name from a file as a message shows it: in quotes, on one line, of bearable length.
inline std::string shown(std::string_view name) {
  std::size_t end = std::min<std::size_t>(name.size(), 100);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  auto text = nlohmann::json(std::string(name.substr(0, end)))
                  .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (end < name.size()) text.insert(text.size() - 1, "...");
  return text;
}

inline std::string shown_shape(const std::vector<index_t>& shape) {
  std::string text = "[";
  for (const auto size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

[[noreturn]] inline void refuse_safetensors(const std::string& file, const std::string& what) {
  throw data_error(file + ": " + what +
                   ". The file is damaged or no safetensors file; fetch or write it again.");
}

/// Numbers of a shape, or nothing where they are more than an index can count. A size of 0 counts as 1, so
/// that [0, 2^62, 2^62], whose strides no index holds either, is nothing.
inline std::optional<std::uint64_t> count_of(const std::vector<index_t>& shape) {
  index_t reach = 1, count = 1;
  for (const auto size : shape) {
    if (size < 0 || __builtin_mul_overflow(reach, std::max<index_t>(size, 1), &reach)) return std::nullopt;
    count *= size;
  }
  return static_cast<std::uint64_t>(count);
}

/// The same in bytes.
inline std::optional<std::uint64_t> byte_count_of(element_type type, const std::vector<index_t>& shape) {
  auto count = count_of(shape);
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, std::uint64_t{bytes_of(type)}, &bytes)) return std::nullopt;
  return bytes;
}

/// A tensor with its place in the data section.
struct placed_tensor {
  stored_tensor tensor{};
  std::uint64_t begin = 0, end = 0;
};

/// Takes the events of a JSON parser and keeps what a header may hold; throws at the first thing that it may
/// not.
class header_handler {
 public:
  explicit header_handler(const std::string& file) : file_(file) {}

  std::vector<placed_tensor> tensors{};
  text_map metadata{};

  bool null() { return wrong("null"); }
  bool boolean(bool) { return wrong("a truth value"); }
  bool number_integer(std::int64_t value) { return wrong(std::to_string(value)); }
  bool number_float(double, const std::string& text) { return wrong(text); }
  bool binary(std::vector<std::uint8_t>&) { return wrong("binary data"); }

  bool number_unsigned(std::uint64_t value) {
    if (place_ == place::shape) {
      auto& shape = tensors.back().tensor.shape;
      if (value > static_cast<std::uint64_t>(std::numeric_limits<index_t>::max()))
        return wrong(std::to_string(value));
      if (shape.size() == most_dimensions)
        refuse(tensor_name() + " has more than " + std::to_string(most_dimensions) + " dimensions");
      shape.push_back(static_cast<index_t>(value));
    } else if (place_ == place::offsets) {
      if (offsets_ == 2) refuse(tensor_name() + " has more than two data_offsets");
      (offsets_++ == 0 ? tensors.back().begin : tensors.back().end) = value;
    } else {
      return wrong(std::to_string(value));
    }
    return true;
  }

  bool string(std::string& text) {
    if (place_ == place::metadata) {
      if (!metadata.emplace(key_, std::move(text)).second)
        refuse("its metadata name " + shown(key_) + " twice");
    } else if (place_ == place::tensor && key_ == "dtype") {
      const auto type = element_type_named(text);
      if (!type)
        throw data_error(
            file_ + ": " + tensor_name() + " has the number type " + shown(text) +
            ", which fmsb does not read; write it anew as F64, F32, F16, BF16, an integer type or BOOL.");
      tensors.back().tensor.type = *type;
    } else {
      return wrong("the text " + shown(text));
    }
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == place::outside) {
      place_ = place::root;
    } else if (place_ == place::root && key_ == metadata_key) {
      if (has_metadata_) refuse("its header has two objects __metadata__");
      has_metadata_ = true;
      place_ = place::metadata;
    } else if (place_ == place::root) {
      place_ = place::tensor;
      tensors.push_back({.tensor = {.name = std::move(key_)}});
      seen_ = {};
    } else {
      return wrong("an object");
    }
    return true;
  }

  bool key(std::string& text) {
    key_ = std::move(text);
    if (place_ != place::tensor) return true;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (key_ != fields[i]) continue;
      if (seen_[i]) refuse(tensor_name() + " has " + shown(key_) + " twice");
      seen_[i] = true;
      return true;
    }
    refuse(tensor_name() + " has a field " + shown(key_) +
           "; dtype, shape and data_offsets are all there are");
  }

  bool end_object() {
    if (place_ == place::tensor)
      for (std::size_t i = 0; i < fields.size(); ++i)
        if (!seen_[i]) refuse(tensor_name() + " has no " + std::string(fields[i]));
    place_ = place_ == place::root ? place::outside : place::root;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ == place::tensor && key_ == "shape") {
      place_ = place::shape;
    } else if (place_ == place::tensor && key_ == "data_offsets") {
      place_ = place::offsets;
      offsets_ = 0;
    } else {
      return wrong("a list");
    }
    return true;
  }

  bool end_array() {
    if (place_ == place::offsets && offsets_ != 2) refuse(tensor_name() + " has fewer than two data_offsets");
    place_ = place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    refuse("its header is no JSON from byte " + std::to_string(position) + " on");
  }

 private:
  enum class place { outside, root, metadata, tensor, shape, offsets };
  static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};

  [[noreturn]] void refuse(const std::string& what) const { refuse_safetensors(file_, what); }
  std::string tensor_name() const { return "tensor " + shown(tensors.back().tensor.name); }

  bool wrong(const std::string& found) const {
    switch (place_) {
      case place::metadata:
        refuse("its metadata " + shown(key_) + " is " + found + "; it must be text");
      case place::tensor:
        refuse(tensor_name() + " has " + found + " as " + std::string(key_));
      case place::shape:
        refuse(tensor_name() + " has " + found + " in its shape; a size is a whole number from 0 on");
      case place::offsets:
        refuse(tensor_name() + " has " + found + " in its data_offsets; each is a whole number from 0 on");
      default:
        refuse(shown(key_) + " in its header is " + found + "; it must be an object");
    }
  }

  const std::string& file_;
  place place_ = place::outside;
  std::string key_;
  std::array<bool, 3> seen_{};
  int offsets_ = 0;
  bool has_metadata_ = false;
};

/// The header's text, by the length that stands before it.
inline std::string_view safetensors_header_text(std::span<const std::byte> bytes, const std::string& file) {
  constexpr std::size_t prefix = 8;
  if (bytes.size() < prefix)
    refuse_safetensors(
        file, "it has " + std::to_string(bytes.size()) + " bytes, and the length of a header alone takes 8");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("PK\x03\x04"))
    throw data_error(file + " is a zip archive, as torch.save writes; save it as safetensors in Python.");
  std::uint64_t length = 0;
  for (std::size_t i = prefix; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  if (length > safetensors_header_limit)
    refuse_safetensors(file, "its header claims " + std::to_string(length) + " bytes; at most " +
                                 std::to_string(safetensors_header_limit) + " are allowed");
  if (length > bytes.size() - prefix)
    refuse_safetensors(file, "its header claims " + std::to_string(length) +
                                 " bytes, but the file ends after " + std::to_string(bytes.size() - prefix));
  return text.substr(prefix, static_cast<std::size_t>(length));
}

/// Lays the data section out: every byte of it belongs to one tensor.
inline void place_all(std::vector<placed_tensor>& tensors, std::span<const std::byte> data,
                      const std::string& file) {
  for (auto& [tensor, begin, end] : tensors) {
    const auto claim = "tensor " + shown(tensor.name) + " has the data_offsets [" + std::to_string(begin) +
                       ", " + std::to_string(end) + "]";
    if (begin > end) refuse_safetensors(file, claim + ", which end before they begin");
    if (end > data.size())
      refuse_safetensors(file, claim + ", but " + std::to_string(data.size()) + " bytes follow the header");
    const auto wanted = byte_count_of(tensor.type, tensor.shape);
    if (!wanted)
      refuse_safetensors(file, "tensor " + shown(tensor.name) + " has the shape " +
                                   shown_shape(tensor.shape) + ", more than can be counted");
    if (*wanted != end - begin)
      refuse_safetensors(file, claim + ", but its shape " + shown_shape(tensor.shape) + " of " +
                                   std::string(name_of(tensor.type)) + " takes " + std::to_string(*wanted) +
                                   " bytes");
    tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.tensor.name) < std::tie(b.begin, b.end, b.tensor.name);
  });
  std::uint64_t covered = 0;
  const std::string* last = nullptr;
  for (const auto& [tensor, begin, end] : tensors) {
    if (begin < covered)
      refuse_safetensors(file,
                         "the data of tensor " + shown(tensor.name) + " overlap those of " + shown(*last));
    if (begin > covered)
      refuse_safetensors(file, std::to_string(begin - covered) + " bytes before the data of tensor " +
                                   shown(tensor.name) + " belong to no tensor");
    covered = end;
    last = &tensor.name;
  }
  if (covered != data.size())
    refuse_safetensors(file,
                       std::to_string(data.size() - covered) + " bytes after the last tensor belong to none");
}

/// Positions of the tensors by rising names. The first name that stands twice is refused.
inline std::vector<std::size_t> order_by_name(const std::vector<stored_tensor>& tensors,
                                              const std::string& file) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (tensors[order[i]].name == tensors[order[i - 1]].name)
      refuse_safetensors(file, "two tensors are named " + shown(tensors[order[i]].name));
  return order;
}

}  // namespace detail

/// Reads what a safetensors file says of its tensors, and finds their bytes. Memory is proportional to the
/// header, whatever it claims.
///
/// @param bytes  the whole file; the tensors point into it
/// @param file   what to call it in messages
/// @throws data_error naming the file, the tensor and what is wrong
inline safetensors_contents read_safetensors_header(std::span<const std::byte> bytes,
                                                    const std::string& file) {
  const auto header = detail::safetensors_header_text(bytes, file);
  if (!header.starts_with('{')) detail::refuse_safetensors(file, "its header does not begin with {");
  if (!is_utf8(header)) detail::refuse_safetensors(file, "its header is not UTF-8");
  // The JSON parser takes a zero for the end of its input.
  if (const auto zero = header.find('\0'); zero != header.npos)
    detail::refuse_safetensors(file, "its header is no JSON from byte " + std::to_string(zero + 1) + " on");
  detail::header_handler handler(file);
  nlohmann::json::sax_parse(header.begin(), header.end(), &handler);
  detail::place_all(handler.tensors, bytes.subspan(8 + header.size()), file);

  safetensors_contents out{.metadata = std::move(handler.metadata)};
  out.tensors.reserve(handler.tensors.size());
  for (auto& placed : handler.tensors) out.tensors.push_back(std::move(placed.tensor));
  return out;
}

}  // namespace fmsb::data
