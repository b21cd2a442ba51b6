#include "program/program.hpp"

#include "fmsb/core/error.hpp"          // usage_error, data_error
#include "fmsb/core/version.hpp"        // version
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "program/stopped.hpp"  // stopped
#include "program/threads.hpp"  // use_threads

#include <cstdio>     // std::fputs
#include <exception>  // std::exception
#include <utility>    // std::move

namespace driver {

namespace {

constexpr int kOther = 1, kUsage = 2, kData = 3;

}  // namespace

program::program(const std::string& name, const std::string& about, const std::string& footer)
    : app_(about, name) {
  app_.footer(footer);
  app_.set_version_flag("--version", name + " " + std::string(fmsb::version));
  app_.get_formatter()->column_width(34);
  app_.require_subcommand(0, 1);
}

void program::command(const std::string& name, const std::string& about, const declaration& declare_options,
                      action does) {
  auto* one = app_.add_subcommand(name, about);
  add_threads(*one);
  declare_options(*one);
  one->callback([this, does = std::move(does)] { asked_for_ = does; });
}

int program::run(int count, const char* const* words, action without_command) {
  fmsb::train::keep_freed_memory();  // before the first large tensor
  add_threads(app_);                 // last in the help
  asked_for_ = std::move(without_command);
  try {
    app_.parse(count, words);
    use_threads(threads_);
    std::fputs(asked_for_().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& stop) {
    return app_.exit(stop) == 0 ? 0 : kUsage;
  } catch (const stopped& signal) {
    return fail(signal.words, signal.exit_code);
  } catch (const fmsb::usage_error& problem) {
    return fail(problem.what(), kUsage);
  } catch (const fmsb::data_error& problem) {
    return fail(problem.what(), kData);
  } catch (const std::exception& problem) { return fail(problem.what(), kOther); }
}

void program::add_threads(CLI::App& to) {
  to.add_option("--threads", threads_, "of LibTorch (default: one a core)")->type_name("N");
}

int program::fail(const std::string& words, int exit_code) const {
  std::fputs((app_.get_name() + ": " + words + "\n").c_str(), stderr);
  return exit_code;
}

}  // namespace driver
