#pragma once
#include <CLI/CLI.hpp>

#include <cstddef>     // std::size_t
#include <functional>  // std::function
#include <string>      // std::string

namespace driver {

/// The frame of a program with commands: help, version, threads, and what it ends with.
///
/// Exit codes: 0 done, 2 the command line cannot be carried out (CLI11 or a usage_error says so), 3 the data
/// cannot be used (data_error), 130 or 143 a signal (stopped), 1 any other error. Errors go to stderr as
/// "NAME: words".
class program {
 public:
  using declaration = std::function<void(CLI::App&)>;
  using action = std::function<std::string()>;  ///< gives what is printed

  /// @param about   stands above the options in its help
  /// @param footer  stands below them
  program(const std::string& name, const std::string& about, const std::string& footer);

  /// Takes options for when there is no command.
  CLI::App& app() { return app_; }

  /// Adds a command that takes --threads and what is declared.
  void command(const std::string& name, const std::string& about, const declaration& declare_options,
               action does);

  /// Reads the command line and does what it asks for. Options of the program itself are to be there before.
  /// @return the exit code
  int run(int count, const char* const* words, action without_command);

 private:
  void add_threads(CLI::App& to);
  int fail(const std::string& words, int exit_code) const;

  CLI::App app_;
  std::size_t threads_ = 0;
  action asked_for_;
};

}  // namespace driver
