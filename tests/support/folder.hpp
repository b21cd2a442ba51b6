#pragma once
#include <algorithm>   // std::sort
#include <filesystem>  // std::filesystem
#include <fstream>     // std::ifstream
#include <sstream>     // std::ostringstream
#include <string>      // std::string
#include <unistd.h>    // getpid
#include <vector>      // std::vector

namespace fmsb::test {

/// An empty folder that is gone with the object.
struct temporary_folder {
  std::filesystem::path path;

  temporary_folder() {
    static int serial = 0;
    path = std::filesystem::temp_directory_path() /
           ("fmsb-test-" + std::to_string(::getpid()) + "-" + std::to_string(serial++));
    std::filesystem::create_directory(path);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }
};

/// A name for a file in the system's folder of temporary files; the file is gone with the object.
struct temporary_file {
  std::filesystem::path path;

  explicit temporary_file(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             ("fmsb-test-" + std::to_string(::getpid()) + "-" + name)) {}
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

inline std::string contents(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

inline void put(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace fmsb::test
