#pragma once
#include "fmsb/core/error.hpp"  // data_error

#include <zlib.h>  // inflate, crc32

#include <algorithm>     // std::min
#include <cerrno>        // errno
#include <cstdint>       // std::uint32_t
#include <cstdio>        // std::FILE
#include <cstring>       // std::strerror
#include <filesystem>    // std::filesystem::path
#include <memory>        // std::unique_ptr
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::error_code

namespace fmsb::data {

namespace detail {

inline std::string read_all(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw data_error(path.string() + " is a folder, not a file; name the file in it.");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw data_error(path.string() + " cannot be opened: " + std::strerror(errno) + ".");
  std::string bytes;
  const auto expected = std::filesystem::file_size(path, ignored);
  if (!ignored) bytes.reserve(expected + 1);
  // A pipe has no size; so reading goes on until there is nothing left, whatever was expected.
  for (std::size_t used = 0, chunk = std::max<std::size_t>(bytes.capacity(), 1 << 16);; chunk = used) {
    bytes.resize(used + chunk);
    const std::size_t got = std::fread(bytes.data() + used, 1, chunk, file.get());
    bytes.resize(used += got);
    if (std::ferror(file.get()) != 0)
      throw data_error(path.string() + " cannot be read beyond byte " + std::to_string(used) + ": " +
                       std::strerror(errno) + ".");
    if (got < chunk) return bytes;
  }
}

/// The name of a packing that fmsb does not undo; null for anything else.
inline const char* foreign_packing(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("PK\x03\x04"sv)) return "a zip archive";
  if (bytes.starts_with("\xFD"
                        "7zXZ\0"sv))
    return "xz data";
  if (bytes.starts_with("BZh"sv) && bytes.substr(4).starts_with("1AY&SY"sv)) return "bzip2 data";
  if (bytes.starts_with("\x28\xB5\x2F\xFD"sv)) return "zstd data";
  if (bytes.starts_with("PAR1"sv)) return "a Parquet file";
  if (bytes.starts_with("\x89HDF\r\n"sv)) return "an HDF5 file";
  return nullptr;
}

inline std::string inflate_all(const std::filesystem::path& path, std::string_view packed) {
  struct stream : z_stream {
    stream() : z_stream{} { ready = inflateInit2(this, 15 + 16) == Z_OK; }  // 15: window, +16: gzip
    ~stream() { inflateEnd(this); }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    bool ready = false;
  } state;
  if (!state.ready) throw data_error(path.string() + ": there is no memory left to unpack it.");

  std::string out;
  std::size_t taken = 0, made = 0;
  const auto broken = [&](const std::string& how) {
    return data_error(path.string() + " " + how + " after " + std::to_string(made) +
                      " unpacked bytes; fetch or pack it again.");
  };
  for (bool whole_member = false;;) {
    if (out.size() - made < (1 << 16))
      out.resize(std::max<std::size_t>(out.size() * 2, 4 * packed.size() + (1 << 17)));
    constexpr std::size_t most = 1 << 30;  // zlib counts in 32 bits
    const auto offered = std::min(packed.size() - taken, most), space = std::min(out.size() - made, most);
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));  // zlib only reads it
    state.avail_in = static_cast<uInt>(offered);
    state.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    state.avail_out = static_cast<uInt>(space);
    const int result = inflate(&state, Z_NO_FLUSH);
    const std::size_t used = offered - state.avail_in, grown = space - state.avail_out;
    taken += used;
    made += grown;
    if (result == Z_STREAM_END) {
      whole_member = packed.substr(taken).size() < 2 || !packed.substr(taken).starts_with("\x1F\x8B");
      if (whole_member) break;  // what may follow the last member is padding
      inflateReset(&state);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw broken("is damaged: its gzip data cannot be unpacked");
    } else if (used == 0 && grown == 0) {
      throw broken("is cut short: its gzip data end");
    }
  }
  out.resize(made);
  return out;
}

}  // namespace detail

/// The unpacked contents of a file.
struct file_bytes {
  std::string text;            ///< as it stands in the file, less gzip
  std::uint32_t checksum = 0;  ///< CRC-32 of `text`, as gzip and zip state it
  bool compressed = false;     ///< whether the file held gzip data
};

/// Reads a whole file; gzip is told by its first bytes, whatever the file is called.
/// @throws data_error where the file is missing, cannot be read, is cut short or damaged, or is
///                    packed otherwise
inline file_bytes read_bytes(const std::filesystem::path& path) {
  file_bytes out{.text = detail::read_all(path)};
  if (const char* packing = detail::foreign_packing(out.text))
    throw data_error(path.string() + " is " + packing + "; unpack it to text or pack it with gzip.");
  if (out.text.starts_with("\x1F\x8B")) {
    out.text = detail::inflate_all(path, out.text);
    out.compressed = true;
  }
  out.checksum = static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(out.text.data()), out.text.size()));
  return out;
}

}  // namespace fmsb::data
