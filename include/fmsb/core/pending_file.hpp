#pragma once
#include "fmsb/core/error.hpp"  // usage_error, error

#include <atomic>        // std::atomic
#include <cerrno>        // errno
#include <cstddef>       // std::size_t
#include <cstdio>        // std::rename
#include <cstring>       // std::strerror
#include <fcntl.h>       // open
#include <filesystem>    // std::filesystem::path
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <sys/stat.h>    // stat, fchmod
#include <system_error>  // std::error_code
#include <unistd.h>      // write, fsync, close
#include <utility>       // std::move

namespace fmsb {

/// A file that is being written beside the one it will replace. Until `commit`, whoever opens the target
/// finds what was there before; without a `commit`, nothing is left behind.
///
/// A target that is no regular file (a terminal, a pipe, /dev/stdout) is written directly on `commit`.
class pending_file {
 public:
  /// @throws usage_error where the target's folder does not exist or cannot be written
  explicit pending_file(std::filesystem::path target) : target_(std::move(target)) {
    std::error_code ignored;
    if (std::filesystem::is_symlink(target_, ignored)) {  // the link stays, what it names is replaced
      auto named = std::filesystem::weakly_canonical(target_, ignored);
      if (!ignored) target_ = std::move(named);
    }
    struct stat there {};
    const bool exists = ::stat(target_.c_str(), &there) == 0;
    if (exists && S_ISDIR(there.st_mode))
      throw usage_error(target_.string() +
                        " is a folder, so no file can be written there; name a file in it.");
    direct_ = exists && !S_ISREG(there.st_mode);
    open_temporary();
    if (exists && !direct_) ::fchmod(descriptor_, there.st_mode & 07777);
  }

  pending_file(const pending_file&) = delete;
  pending_file& operator=(const pending_file&) = delete;

  ~pending_file() {
    close();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  /// For a program that writes the file itself.
  int descriptor() const { return descriptor_; }
  std::size_t size() const {
    struct stat now {};
    return ::fstat(descriptor_, &now) == 0 ? static_cast<std::size_t>(now.st_size) : 0;
  }

  /// @throws error where the disk is full or fails
  void write(std::string_view bytes) { write_to(descriptor_, bytes); }

  /// Brings the contents to the disk and gives them the target's name.
  /// @throws error where either fails
  void commit() {
    if (direct_) {
      copy_through();
      return;
    }
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail("cannot be brought to the disk");
    if (!close()) fail("cannot be closed");
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot be given its name");
    temporary_.clear();
    // The new name lives in the folder. Where that cannot be opened, the system writes it in its own time.
    const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::fsync(folder);
    ::close(folder);
  }

 private:
  static std::filesystem::path folder_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  }

  void open_temporary() {
    static std::atomic<unsigned> serial{0};
    const auto folder = direct_ ? std::filesystem::temp_directory_path() : folder_of(target_);
    do {
      // A fixed, short stem: the target's own name may already be as long as a name may be.
      temporary_ = folder / (".fmsb-" + std::to_string(::getpid()) + "-" + std::to_string(serial++) + ".tmp");
      descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ >= 0) return;
    const int problem = errno;
    temporary_.clear();
    throw usage_error(target_.string() + " cannot be written: folder " + folder.string() + ": " +
                      std::strerror(problem) + ".");
  }

  void write_to(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(descriptor, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("cannot be written");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void copy_through() {
    const int out = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (out < 0) fail("cannot be written");
    struct closer {
      int descriptor;
      ~closer() { ::close(descriptor); }
    } const guard{out};
    char block[1 << 16];
    ::lseek(descriptor_, 0, SEEK_SET);
    for (ssize_t got = 0; (got = ::read(descriptor_, block, sizeof block)) > 0;)
      write_to(out, {block, static_cast<std::size_t>(got)});
  }

  bool close() {
    const bool closed = descriptor_ < 0 || ::close(descriptor_) == 0;
    descriptor_ = -1;
    return closed;
  }

  [[noreturn]] void fail(const char* what) const {
    throw error(target_.string() + " " + what + ": " + std::strerror(errno) +
                ". What stood there before is untouched.");
  }

  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
  bool direct_ = false;
};

}  // namespace fmsb
