#pragma once
#include "fmsb/train/schedule.hpp"  // schedule

#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string

namespace fmsb::train {

/// The number type of products in the loss: the parameters' own, or bfloat16 where LibTorch's autocast knows
/// the operation to bear it; parameters, their gradients and the optimiser keep theirs.
enum class precision { as_is, bf16 };

/// Whether `fit` stops at SIGINT and SIGTERM, with a checkpoint, or leaves signals alone.
enum class on_signal { save_and_stop, leave };

/// What `fit` does with a checkpoint that is there when it begins.
enum class resume { if_there, never };

struct validation_options {
  std::uint64_t every = 0;  ///< steps from one validation to the next; 0: after the last step only
  std::uint64_t patience =
      0;                  ///< validations in a row without improvement that end the training; 0: any number
  bool at_start = false;  ///< also before the first step
  bool restore_best = true;  ///< the model ends with the numbers of its best validation
};

struct checkpoint_options {
  std::filesystem::path file{};  ///< empty: none is written
  std::uint64_t every = 0;       ///< steps from one to the next; 0: at the end and at a signal only
  resume from = resume::if_there;
};

struct log_options {
  std::filesystem::path file{};  ///< empty: none is written
  std::uint64_t every = 1;       ///< steps from one line to the next; a validation is always logged
};

/// How `fit` trains. Times are counted in optimiser steps; give `steps` or `epochs`.
struct fit_options {
  std::uint64_t steps = 0;
  std::uint64_t epochs = 0;      ///< passes of a sampler that has batches_an_epoch()
  std::uint64_t accumulate = 1;  ///< batches a step: their losses' mean is the step's loss
  schedule rate{};               ///< factor of each group's own rate
  double clip_norm = 0;          ///< largest norm of all gradients together; 0: any
  precision products = precision::as_is;
  std::uint64_t skippable =
      10;                      ///< steps of the training that may be skipped for numbers that are not finite
  std::uint64_t pause_at = 0;  ///< stop after this step with a checkpoint, to go on later; 0: never
  validation_options validation{};
  checkpoint_options checkpoint{};
  log_options log{};
  on_signal signals = on_signal::save_and_stop;
  std::string progress{};  ///< what the progress line calls the training; empty: no line
  std::string about{};     ///< what else a checkpoint must agree on: the data, the loss
};

}  // namespace fmsb::train
