#pragma once
#include "fmsb/report/json.hpp"  // json

#include <cstddef>     // std::size_t
#include <cstdint>     // std::int64_t, std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string

namespace driver {

namespace fs = std::filesystem;

/// A search's options as the command line has them; what is not here keeps the library's default.
struct search_wishes {
  std::uint64_t epochs = 40, seed = 1;
  std::int64_t batch = 128;
  double share = 0.5, rate = 0.1, arch_rate = 0.05;
  std::size_t candidates = 1;
  bool equal_classes = false;

  // Given by the run, not by the command line.
  std::uint64_t checkpoint_every = 0;
  fs::path checkpoint{}, log{};
  std::string progress{};
};

/// The same of a training.
struct training_wishes {
  std::uint64_t epochs = 30, seed = 1;
  std::int64_t batch = 128;
  double rate = 0.1, dropout = 0;
  bool equal_classes = false;

  // As above.
  std::uint64_t checkpoint_every = 0;
  fs::path checkpoint{}, log{}, weights{};
  std::string about{}, progress{};
};

/// What the command line says of a search, for run.json and report.json.
fmsb::report::json to_json(const search_wishes& of);
/// The same of a training, without the seed, which differs between the runs of one outcome.
fmsb::report::json to_json(const training_wishes& of);

/// Whole batches of so many examples; a batch is never larger than all of them.
std::uint64_t batches_an_epoch(std::int64_t batch, std::size_t examples);

}  // namespace driver
