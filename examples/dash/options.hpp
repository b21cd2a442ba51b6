#pragma once
#include "menu.hpp"    // network_choice
#include "wishes.hpp"  // search_wishes, training_wishes

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <vector>   // std::vector

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
  search_wishes wishes{};
};

struct train_command {
  fs::path run{};
  bool plain = false, floors = true;
  training_wishes wishes{};  ///< but for the seed, which goes on from the search's
  std::size_t seeds = 1;
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
