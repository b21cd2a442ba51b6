#pragma once
#include "fmsb/core/error.hpp"   // usage_error, error
#include "fmsb/report/json.hpp"  // json

#include <cerrno>        // errno
#include <cstdint>       // std::uint64_t
#include <cstdio>        // std::fopen
#include <cstring>       // std::strerror
#include <filesystem>    // std::filesystem::resize_file
#include <fstream>       // std::ifstream
#include <memory>        // std::unique_ptr
#include <string>        // std::string
#include <system_error>  // std::error_code

namespace fmsb::train {

/// A file of JSON objects, one a line, each with its "step". Whoever follows the file sees each line as soon
/// as it is written.
class step_log {
 public:
  step_log() = default;  ///< writes nothing

  /// Keeps of a file that is there the lines up to step `after`: a run that resumes from an older checkpoint
  /// writes the later ones again. A run from the start (0) keeps none.
  /// @throws usage_error where the file cannot be written
  step_log(const std::filesystem::path& path, std::uint64_t after) : path_(path) {
    if (std::filesystem::exists(path)) {
      std::error_code problem;
      std::filesystem::resize_file(path, after == 0 ? 0 : length_up_to(path, after), problem);
      if (problem) refuse(problem.message());
    }
    file_.reset(std::fopen(path.c_str(), "ae"));
    if (!file_) refuse(std::strerror(errno));
  }

  explicit operator bool() const { return file_ != nullptr; }

  /// @throws error where the disk is full or fails
  void write(const report::json& line) {
    if (!file_) return;
    const auto text = line.dump(-1, ' ', false, report::json::error_handler_t::replace) + "\n";
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
      throw error(path_.string() + " cannot be written: " + std::strerror(errno) + ".");
  }

 private:
  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// Bytes of the whole lines that come before the first one of a later step, or before a torn one.
  static std::uintmax_t length_up_to(const std::filesystem::path& path, std::uint64_t step) {
    std::ifstream in(path, std::ios::binary);
    std::uintmax_t length = 0;
    for (std::string line; std::getline(in, line) && !in.eof(); length += line.size() + 1) {
      const auto read = report::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!read.is_object() || !read.contains("step") || !read["step"].is_number_unsigned() ||
          read["step"].get<std::uint64_t>() > step)
        break;
    }
    return length;
  }

  [[noreturn]] void refuse(const std::string& problem) const {
    throw usage_error("The training log " + path_.string() + " cannot be written: " + problem + ".");
  }

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, closer> file_;
};

}  // namespace fmsb::train
