#pragma once
#include "fmsb/report/json.hpp"  // json

#include <cstddef>     // std::size_t
#include <cstdint>     // std::int64_t, std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

namespace driver {

namespace fs = std::filesystem;

/// A search's options as the command line has them; what is not here is the library's, or the released one.
struct search_wishes {
  bool released = false;  ///< the rest of the options as in the program released with DASH
  std::uint64_t epochs = 40, seed = 1;
  std::int64_t batch = 128;
  double share = 0.5, rate = 0.1, arch_rate = 0.05, last_temperature = 1, field_penalty = 1e-3,
         label_smoothing = 0;
  std::size_t candidates = 1;
  bool alpha_from_validation = false;
  bool equal_classes = false;
  std::vector<std::string> augment{};  ///< as `augmentation_of` reads it

  // Given by the run, not by the command line.
  std::uint64_t checkpoint_every = 0;
  fs::path checkpoint{}, log{};
  std::string progress{};
};

/// The same of a training.
struct training_wishes {
  bool released = false;
  std::uint64_t epochs = 30, seed = 1;
  std::int64_t batch = 128;
  double rate = 0.1, dropout = 0, weight_decay = 5e-4, label_smoothing = 0;
  bool equal_classes = false;
  std::vector<std::string> augment{};

  // As above.
  std::uint64_t checkpoint_every = 0;
  fs::path checkpoint{}, log{}, weights{};
  std::string about{}, progress{};
};

/// The released numbers of these options, from which those that are given on the command line differ.
search_wishes released_search();
training_wishes released_training();

/// What the command line says of a search, for run.json and report.json.
fmsb::report::json to_json(const search_wishes& of);
/// The same of a training, without the seed, which differs between the runs of one outcome.
fmsb::report::json to_json(const training_wishes& of);

/// @throws fmsb::usage_error unless each of the changes is known and takes arrays of this shape
void require_augmentation(const std::vector<std::string>& words, const std::vector<std::size_t>& shape);

/// Whole batches of so many examples; a batch is never larger than all of them.
std::uint64_t batches_an_epoch(std::int64_t batch, std::size_t examples);

}  // namespace driver
