#pragma once
#include <array>    // std::array
#include <atomic>   // std::atomic
#include <csignal>  // sigaction, SIGINT, SIGTERM

namespace fmsb::train {

namespace detail {
inline std::atomic<int> stop_signal{0};
inline std::atomic<int> stop_guards{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may write lock-free numbers only");

extern "C" inline void fmsb_note_stop_signal(int number) { stop_signal.store(number); }
}  // namespace detail

/// While one lives, SIGINT and SIGTERM end nothing: they are noted, for a loop to see between two steps. The
/// handlers that were there before return with its end. A signal that was ignored (as under nohup) stays so.
///
/// Guards may be nested, as `fit` within a driver that holds one over several trainings: what arrived is
/// remembered until the outermost one ends, so that the driver sees it too. A signal that arrives again
/// changes nothing: schedulers and timeout(1) send it to a process and to its group.
class stop_signals {
 public:
  stop_signals() {
    if (detail::stop_guards.fetch_add(1) == 0) detail::stop_signal.store(0);
    for (auto& [number, before] : held_) {
      struct sigaction noting {};
      noting.sa_handler = detail::fmsb_note_stop_signal;
      noting.sa_flags = SA_RESTART;
      sigemptyset(&noting.sa_mask);
      ::sigaction(number, nullptr, &before);
      if (before.sa_handler != SIG_IGN) ::sigaction(number, &noting, nullptr);
    }
  }
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;
  ~stop_signals() {
    for (const auto& [number, before] : held_) ::sigaction(number, &before, nullptr);
    if (detail::stop_guards.fetch_sub(1) == 1) detail::stop_signal.store(0);
  }

  /// The last signal that arrived, or 0. A program that stops for it ends with the exit code 128 + number.
  static int received() { return detail::stop_signal.load(); }

 private:
  struct handler {
    int number;
    struct sigaction before {};
  };
  std::array<handler, 2> held_{{{.number = SIGINT}, {.number = SIGTERM}}};
};

}  // namespace fmsb::train
