#include "support/folder.hpp"

#include <nlohmann/json.hpp>

#include <chrono>      // std::chrono
#include <csignal>     // kill
#include <cstdint>     // std::uint64_t
#include <fcntl.h>     // O_CLOEXEC
#include <filesystem>  // std::filesystem
#include <fstream>     // std::ifstream
#include <random>      // std::mt19937
#include <spawn.h>     // posix_spawn
#include <sstream>     // std::ostringstream
#include <string>      // std::string
#include <sys/wait.h>  // waitpid
#include <thread>      // std::this_thread::sleep_for
#include <unistd.h>    // pipe, read
#include <vector>      // std::vector

#include "support/doctest.hpp"

using fmsb::test::temporary_folder;

namespace {

constexpr const char* kSteps = "150";

/// A running train_worker. `outcome` is its exit code, or minus the signal that ended it.
class worker {
 public:
  explicit worker(const std::filesystem::path& where) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = FMSB_TRAIN_WORKER, folder = where.string(), steps = kSteps;
    char* arguments[] = {program.data(), folder.data(), steps.data(), nullptr};
    REQUIRE(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    says_ = ends[0];
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() { ::close(says_); }

  /// Waits until training begins; false if the worker ends without.
  bool begins() const {
    char letter = 0;
    return ::read(says_, &letter, 1) == 1;
  }
  void send(int signal) const { ::kill(pid_, signal); }
  int outcome() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = 0;
  int says_ = -1;
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

/// The steps that a log names, in its order.
std::vector<std::uint64_t> logged(const std::filesystem::path& folder) {
  std::vector<std::uint64_t> steps;
  std::ifstream in(folder / "log.jsonl");
  for (std::string line; std::getline(in, line);) {
    const auto read = nlohmann::json::parse(line, nullptr, false);
    if (read.is_object()) steps.push_back(read["step"]);
  }
  return steps;
}

/// The undisturbed run's weights.
const std::string& undisturbed() {
  static const std::string weights = [] {
    const temporary_folder whole;
    const worker alone(whole.path);
    CHECK(alone.outcome() == 0);
    return bytes_of(whole.path / "weights.safetensors");
  }();
  return weights;
}

void finishes_as_undisturbed(const std::filesystem::path& path) {
  const worker last(path);
  CHECK(last.outcome() == 0);
  CHECK_FALSE(undisturbed().empty());
  CHECK(bytes_of(path / "weights.safetensors") == undisturbed());
  const auto steps = logged(path);
  REQUIRE(std::to_string(steps.size()) == kSteps);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == i + 1);
}

}  // namespace

TEST_CASE("a training that is killed again and again ends with the weights of the undisturbed one") {
  const temporary_folder killed;
  std::mt19937 random(static_cast<unsigned>(::getpid()));
  std::uint64_t before = 0;
  int kills = 0, advances = 0;
  for (; kills < 6; ++kills) {
    const worker victim(killed.path);
    if (!victim.begins()) break;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    victim.send(SIGKILL);
    const int outcome = victim.outcome();
    if (std::filesystem::exists(killed.path / "weights.safetensors")) break;  // it was quicker
    CHECK(outcome == -SIGKILL);
    const auto steps = logged(killed.path);
    advances += !steps.empty() && steps.back() > before;
    if (!steps.empty()) before = steps.back();
  }
  CHECK(kills > 0);
  CHECK(advances > 0);
  finishes_as_undisturbed(killed.path);
}

TEST_CASE("SIGTERM and SIGINT end a training with a checkpoint and the shell's exit codes") {
  const temporary_folder stopped;
  for (const int signal : {SIGTERM, SIGINT}) {
    const worker running(stopped.path);
    REQUIRE(running.begins());
    running.send(signal);
    CHECK(running.outcome() == 128 + signal);
    CHECK(std::filesystem::exists(stopped.path / "run.safetensors"));
  }
  finishes_as_undisturbed(stopped.path);
}
