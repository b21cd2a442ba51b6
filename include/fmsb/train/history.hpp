#pragma once
#include "fmsb/report/json.hpp"  // json

#include <cstdint>   // std::uint64_t, std::int64_t
#include <optional>  // std::optional
#include <vector>    // std::vector

namespace fmsb::train {

/// Why a training ended, or where it stands.
enum class stop {
  not_yet,
  finished,        ///< all steps are done
  no_improvement,  ///< validation did not improve for as long as the patience allows
  enough,          ///< `hooks::enough` said so
  paused,          ///< `fit_options::pause_at` was reached
  signal           ///< SIGINT or SIGTERM arrived
};

constexpr const char* name_of(stop why) {
  switch (why) {
    case stop::finished:
      return "finished";
    case stop::no_improvement:
      return "no improvement";
    case stop::enough:
      return "enough";
    case stop::paused:
      return "paused";
    case stop::signal:
      return "signal";
    default:
      return "not yet";
  }
}

/// A validation after so many steps; lower is better.
struct validation_score {
  std::uint64_t step = 0;
  double score = 0;
  friend bool operator==(const validation_score&, const validation_score&) = default;
};

/// What happened in a training, over all processes that it took.
struct history {
  std::uint64_t steps = 0;       ///< optimiser steps, with those that were skipped
  std::uint64_t batches = 0;     ///< batches drawn
  std::uint64_t skipped = 0;     ///< steps without an update: the loss or a gradient was not finite
  std::vector<double> losses{};  ///< of each step the mean over its batches; NaN where it was skipped
  std::vector<validation_score> validations{};
  std::optional<validation_score> best{};
  std::int64_t trained_parameters = 0;
  double seconds = 0;  ///< in `fit`, validations and checkpoints included
  stop stopped = stop::not_yet;
  int signal = 0;  ///< its number, where a signal stopped the training

  /// What a program that only trains ends with: 0, or 128 + the signal's number (130 and 143).
  int exit_code() const { return stopped == stop::signal ? 128 + signal : 0; }
};

/// All of it, losses last; what is not finite becomes null.
inline report::json to_json(const history& of) {
  report::json out;
  out["stopped"] = name_of(of.stopped);
  if (of.stopped == stop::signal) out["signal"] = of.signal;
  out["steps"] = of.steps;
  out["batches"] = of.batches;
  out["skipped"] = of.skipped;
  out["trained_parameters"] = of.trained_parameters;
  out["seconds"] = of.seconds;
  const auto score_json = [](const validation_score& v) {
    return report::json{{"step", v.step}, {"score", v.score}};
  };
  if (of.best) out["best"] = score_json(*of.best);
  out["validations"] = report::json::array();
  for (const auto& v : of.validations) out["validations"].push_back(score_json(v));
  out["losses"] = of.losses;
  return out;
}

}  // namespace fmsb::train
