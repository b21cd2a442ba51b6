#pragma once
#include "menu.hpp"  // adapter_choice

#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

namespace driver {

namespace fs = std::filesystem;

/// Many series in one long table, and which stretches of them are forecast.
struct task_options {
  fs::path series;
  std::vector<std::string> targets{};  ///< empty: every column of numbers
  std::string id, time;                ///< columns; empty: the first and the second
  std::vector<std::string> missing{};  ///< words that mean a gap
  std::size_t context = 36, horizon = 6, stride = 1;
  std::size_t observed = 18;         ///< numbers that a context holds at least
  std::size_t observed_horizon = 0;  ///< the same of a horizon; 0: all of it
  std::vector<double> shares{.7, .1, .2};
  std::uint64_t split_seed = 1;
  std::size_t most_windows = 0;  ///< of the test part, evenly spread; 0: all
};

/// How forecasts are drawn and summed up.
struct scoring_options {
  std::size_t samples = 20;
  std::string point = "median";  ///< or mean
  std::uint64_t seed = 1;
};

struct pretrain_options {
  fs::path out;
  std::string size = "tiny";
  std::size_t context = 128, horizon = 16;
  std::vector<fs::path> series{};  ///< learned from besides what is generated
  std::size_t generated = 1000, mixtures = 1000, length = 512;
  std::uint64_t steps = 2000, batch = 32, seed = 1, checkpoint_every = 200;
  double rate = 0;  ///< 0: the size's own
  double blanked = 0.2, levels = 0.5;
};

struct finetune_options {
  fs::path model{}, out{};
  task_options task{};
  adapter_choice adapter{};
  scoring_options scoring{};
  std::uint64_t steps = 1000, batch = 32, seed = 1, validate_every = 0;
  double rate = 0;  ///< 0: the adapter's own
  double blanked = 0;
  std::size_t held_out = 512;  ///< windows of the validation part
  bool before = true;          ///< score the model as it was, too
};

struct evaluate_options {
  fs::path model, report, plot;
  std::vector<fs::path> adapters;
  task_options task{};
  scoring_options scoring{};
  bool baselines = true;
};

struct forecast_options {
  fs::path model, adapter, series, out, plot;
  std::vector<std::string> targets, missing;
  std::string id, time;
  std::size_t horizon = 0;  ///< 0: as the model was trained for
  std::vector<double> levels{.1, .5, .9};
  scoring_options scoring{};
};

struct merge_options {
  fs::path model, adapter, out;
};

struct demonstration_options {
  fs::path out = "chronos-demonstration";
};

// Each gives what the program prints, and throws fmsb::usage_error or fmsb::data_error. A training that a
// signal stops ends as `stopped`.
std::string pretrain(pretrain_options wanted);
std::string finetune(const finetune_options& wanted);
std::string evaluate(const evaluate_options& wanted);
std::string forecast(const forecast_options& wanted);
std::string merge(const merge_options& wanted);
std::string export_adapter(const merge_options& wanted);
std::string demonstrate(const demonstration_options& wanted);

}  // namespace driver
