#pragma once
#include "menu.hpp"  // network_choice

#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

namespace driver {

/// Which examples, and how they are read and divided.
struct data_options {
  std::string task{};  ///< genomics, images or arrays
  std::vector<std::string> train{}, test{}, validation{};
  std::string format{};          ///< empty: told by the file's name
  std::vector<double> shares{};  ///< train, validation, test, where there is no test part
  std::uint64_t split_seed = 1;
  std::string sequence_column = "sequence", label_column = "label";
  std::string fit = "exact";  ///< or pad, centre
  bool any_letter = false;    ///< what stands for no nucleotide is read as N
  std::size_t most = 0;       ///< training examples, drawn by class; 0: all
};

struct search_command {
  data_options data{};
  network_choice network{};
  fs::path out{};
  std::uint64_t epochs = 40, seed = 1;
  std::int64_t batch = 128;
  double share = 0.5, rate = 0.1, arch_rate = 0.05;
  std::size_t candidates = 1;
  bool equal_classes = false;
};

struct train_command {
  fs::path run{};
  bool plain = false, floors = true;
  std::uint64_t epochs = 30;
  std::int64_t batch = 128;
  double rate = 0.1, dropout = 0;
  std::size_t seeds = 1;
  bool equal_classes = false;
};

struct show_command {
  fs::path run{};
};

struct demonstration_command {
  fs::path out = "dash-demonstration";
};

// Each gives what the program prints, and throws fmsb::usage_error or fmsb::data_error. A search or a
// training that a signal stops ends as `stopped`.
std::string search(const search_command& wanted);
std::string train(const train_command& wanted);
std::string show(const show_command& wanted);
std::string demonstrate(const demonstration_command& wanted);

}  // namespace driver
