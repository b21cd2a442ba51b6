#pragma once
#include "fmsb/core/error.hpp"  // data_error

#include <cerrno>      // errno
#include <cstddef>     // std::byte, std::size_t
#include <cstring>     // std::strerror
#include <fcntl.h>     // open
#include <filesystem>  // std::filesystem::path
#include <span>        // std::span
#include <string>      // std::string
#include <sys/mman.h>  // mmap, munmap
#include <sys/stat.h>  // fstat
#include <unistd.h>    // close
#include <utility>     // std::exchange

namespace fmsb::data {

/// A file's bytes as memory, read by the system page by page when they are touched. Nothing is copied.
///
/// Who replaces the file by rename does no harm; who cuts it short while it is mapped ends this process when
/// the missing bytes are read (SIGBUS), as with every mapped file.
class memory_map {
 public:
  /// @throws data_error where the file is missing, no regular file or cannot be mapped
  explicit memory_map(const std::filesystem::path& path) {
    // O_NONBLOCK: a pipe is refused at once, nobody waits for its writer.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) throw data_error(path.string() + " cannot be opened: " + std::strerror(errno) + ".");
    struct closer {
      int descriptor;
      ~closer() { ::close(descriptor); }
    } const guard{descriptor};
    struct stat there {};
    if (::fstat(descriptor, &there) != 0 || !S_ISREG(there.st_mode))
      throw data_error(path.string() + " is no regular file, so it cannot be mapped; name a file on a disk.");
    size_ = static_cast<std::size_t>(there.st_size);
    if (size_ == 0) return;  // the system maps no empty file
    void* const start = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (start == MAP_FAILED)
      throw data_error(path.string() + " cannot be mapped into memory: " + std::strerror(errno) + ".");
    start_ = static_cast<const std::byte*>(start);
  }

  memory_map(memory_map&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  memory_map(const memory_map&) = delete;
  memory_map& operator=(const memory_map&) = delete;
  ~memory_map() {
    if (start_ != nullptr) ::munmap(const_cast<std::byte*>(start_), size_);
  }

  std::span<const std::byte> bytes() const { return {start_, start_ == nullptr ? 0 : size_}; }

 private:
  const std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace fmsb::data
