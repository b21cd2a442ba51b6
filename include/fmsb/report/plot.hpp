#pragma once
#include "fmsb/core/error.hpp"             // usage_error, error
#include "fmsb/report/atomic_file.hpp"     // pending_file
#include "fmsb/report/figure.hpp"          // figure
#include "fmsb/report/gnuplot_script.hpp"  // gnuplot_script

#include <cerrno>       // errno
#include <cstdio>       // std::tmpfile
#include <cstring>      // std::strerror
#include <filesystem>   // std::filesystem::path
#include <memory>       // std::unique_ptr
#include <spawn.h>      // posix_spawnp
#include <sstream>      // std::istringstream
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <sys/wait.h>   // waitpid
#include <unistd.h>     // environ

namespace fmsb::report {

namespace detail {

using scratch_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

inline scratch_file scratch(std::string_view contents = {}) {
  scratch_file file(std::tmpfile(), &std::fclose);
  if (!file ||
      (!contents.empty() &&
       std::fwrite(contents.data(), 1, contents.size(), file.get()) != contents.size()) ||
      std::fflush(file.get()) != 0)
    throw error(std::string("plot: no temporary file can be written: ") + std::strerror(errno) + ".");
  std::rewind(file.get());
  return file;
}

/// The last line that tells an error rather than warns, with a colon before it.
inline std::string last_words(const std::string& said) {
  std::string last, line;
  for (std::istringstream lines(said); std::getline(lines, line);) {
    line.erase(0, line.find_first_not_of(" \t^"));
    if (line.starts_with("\"/dev/stdin\" ")) line.erase(0, 13);
    while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
    if (!line.empty() && !line.starts_with("Warning") && line.find(": warning: ") == std::string::npos)
      last = ": " + line;
  }
  return last;
}

/// Runs gnuplot on a script; what it draws goes to `picture`. No shell and no file name take part.
inline void run_gnuplot(std::string_view script, int picture) {
  const scratch_file input = scratch(script), complaints = scratch();
  posix_spawn_file_actions_t wiring;
  ::posix_spawn_file_actions_init(&wiring);
  ::posix_spawn_file_actions_adddup2(&wiring, ::fileno(input.get()), 0);
  ::posix_spawn_file_actions_adddup2(&wiring, picture, 1);
  ::posix_spawn_file_actions_adddup2(&wiring, ::fileno(complaints.get()), 2);
  char name[] = "gnuplot", settings[] = "--default-settings";  // the user's own start-up file stays out of it
  char source[] = "/dev/stdin";  // where no file is named, gnuplot reads a byte at a time
  char* const arguments[] = {name, settings, source, nullptr};
  pid_t child = 0;
  const int problem = ::posix_spawnp(&child, name, &wiring, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&wiring);
  if (problem == ENOENT)
    throw error(
        "plot: gnuplot was not found on the PATH; install it (Debian: gnuplot-nox) or leave the plot out.");
  if (problem != 0)
    throw error(std::string("plot: gnuplot cannot be started: ") + std::strerror(problem) + ".");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      throw error(std::string("plot: gnuplot cannot be waited for: ") + std::strerror(errno) + ".");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;

  std::string said;
  char block[4096];
  std::rewind(complaints.get());
  for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, complaints.get())) > 0;)
    said.append(block, got);
  throw error("plot: gnuplot failed" + last_words(said) + ".");
}

}  // namespace detail

/// Draws a figure by gnuplot. The format follows the file's extension: .svg, .png or .pdf. The file is
/// replaced as a whole or not at all.
/// @throws usage_error on another extension, a figure without panels, a map that does not fit its rows, or a
///                     folder that cannot be written
/// @throws error       where gnuplot is absent or fails
inline void draw(const figure& drawing, const std::filesystem::path& target) {
  const std::string extension = target.extension().string();
  if (extension != ".svg" && extension != ".png" && extension != ".pdf")
    throw usage_error("plot: " + target.string() +
                      " should end in .svg, .png or .pdf, which names the format.");
  if (drawing.panels.empty()) throw usage_error("plot: " + target.string() + " would have no panel to show.");
  for (const auto& p : drawing.panels) detail::check(p.map, p.rows.size(), p.x_logarithmic, p.title);
  pending_file picture(target);
  detail::run_gnuplot(detail::gnuplot_script(drawing, std::string_view(extension).substr(1)).text(),
                      picture.descriptor());
  if (picture.size() == 0) throw error("plot: gnuplot drew nothing into " + target.string() + ".");
  picture.commit();
}

}  // namespace fmsb::report
