#pragma once
#include "fmsb/report/table.hpp"  // grouped

#include <algorithm>  // std::min
#include <chrono>     // std::chrono::steady_clock
#include <cstddef>    // std::size_t
#include <cstdio>     // std::fputs
#include <mutex>      // std::mutex
#include <string>     // std::string
#include <unistd.h>   // isatty
#include <utility>    // std::move

namespace fmsb::report {

/// 7 s, 3 min 20 s, 2 h 05 min
inline std::string print_duration(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::max(seconds, 0.0), 1e15) + 0.5);
  const auto two = [](long long value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + two(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + two(whole / 60 % 60) + " min";
}

/// `orders  120/511  23 %  4 s, 13 s left`: one line of standard error that is written over as work goes on.
///
/// Nothing at all is written where standard error is no terminal, so logs stay clean. At most ten lines a
/// second; safe to call from several threads. The line is wiped when the object ends.
class progress {
 public:
  /// @param done  how many were done before, where work is resumed: they count, but not in the time left
  progress(std::string what, std::size_t total, std::size_t done = 0)
      : progress(std::move(what), total, stderr, ::isatty(::fileno(stderr)) == 1, done) {}

  /// For another stream, or to be told whether it is a terminal.
  progress(std::string what, std::size_t total, std::FILE* out, bool terminal, std::size_t done = 0)
      : what_(std::move(what)), total_(total), before_(done), done_(done), out_(terminal ? out : nullptr) {}

  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  ~progress() {
    if (out_ == nullptr || !shown_) return;
    std::fputs("\r\x1B[K", out_);
    std::fflush(out_);
  }

  /// `count` more are done.
  void advance(std::size_t count = 1) {
    advance(count, [](double) { return std::string(); });
  }

  /// The same, and the line ends with what `note` says, which is given how many are done a second. It is
  /// called only when the line is written.
  template <class Note>
  void advance(std::size_t count, const Note& note) {
    if (out_ == nullptr) return;
    const std::lock_guard hold(mutex_);
    done_ += count;
    const auto now = clock::now();
    if (shown_ && done_ < total_ && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const std::string said = note(static_cast<double>(done_ - before_) / std::max(seconds, 1e-9));
    const std::string line = "\r" + text(seconds) + (said.empty() ? "" : "  " + said) + "\x1B[K";
    std::fputs(line.c_str(), out_);
    std::fflush(out_);
  }

  /// The line as it would stand after so many seconds.
  std::string text(double seconds) const {
    std::string line = what_ + "  " + grouped(done_);
    if (total_ > 0) {
      const double share = static_cast<double>(std::min(done_, total_)) / static_cast<double>(total_);
      line += "/" + grouped(total_) + "  " + std::to_string(static_cast<int>(100 * share)) + " %";
      line += "  " + print_duration(seconds);
      if (done_ > before_ && done_ < total_)
        line += ", " +
                print_duration(seconds * static_cast<double>(total_ - done_) /
                               static_cast<double>(done_ - before_)) +
                " left";
      return line;
    }
    return line + "  " + print_duration(seconds);
  }

 private:
  using clock = std::chrono::steady_clock;

  std::string what_;
  std::size_t total_ = 0, before_ = 0, done_ = 0;
  std::FILE* out_;
  bool shown_ = false;
  clock::time_point start_ = clock::now(), last_ = start_;
  std::mutex mutex_;
};

}  // namespace fmsb::report
