#pragma once
#include "network.hpp"  // network
#include "sizes.hpp"    // model_size

#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <functional>  // std::function
#include <memory>      // std::unique_ptr
#include <string>      // std::string
#include <vector>      // std::vector

namespace driver {

/// One compiled type of network: a size and the adapters on it.
struct menu_item {
  std::string size{}, adapter{};       ///< as the command line calls them
  int number = 0;                      ///< rank, or frequencies; 0 where the adapter has none
  std::string on{};                    ///< "q,v"; "all" where the adapter leaves no choice
  double rate = 1e-3;                  ///< learning rate where nobody gives one
  std::vector<std::string> methods{};  ///< what peft calls the adapters; none for the whole model
  std::int64_t trained = 0;
  std::function<std::unique_ptr<network>(const std::filesystem::path& folder, std::uint64_t seed)> open{};
  /// From nothing; of the whole model only.
  std::function<std::unique_ptr<network>(const fmsb::chronos::config&, std::uint64_t seed)> make{};
};

/// What the command line says of an adapter; what is empty or 0 is the first that fits.
struct adapter_choice {
  std::string adapter = "fourier_ft";
  int rank = 0, frequencies = 0;
  std::string on{};
};

const std::vector<menu_item>& menu();

/// The table of the menu, for `chronos adapters` and for messages.
std::string menu_text();

/// The size of a folder's model. @throws data_error where no compiled size is its
const model_size& size_of(const std::filesystem::path& model);
/// A size by name. @throws usage_error
const model_size& size_called(const std::string& name);

/// @throws usage_error with what there is, where nothing fits
const menu_item& choose(const std::string& size, const adapter_choice& wanted);
const menu_item& whole_model(const std::string& size);

/// The model of a folder as it is.
std::unique_ptr<network> open_model(const std::filesystem::path& model);
/// The model of a folder with the adapter of another: a peft directory or a run of `finetune`.
std::unique_ptr<network> open_adapted(const std::filesystem::path& model, std::filesystem::path adapter);
/// What `open_adapted` would take. @throws data_error where the folder holds no adapter of the menu
const menu_item& item_of(const std::filesystem::path& model, const std::filesystem::path& adapter);

// A few adapters on one size, each compiled on its own.
std::vector<menu_item> tiny_whole();
std::vector<menu_item> tiny_vectors();
std::vector<menu_item> tiny_lora();
std::vector<menu_item> tiny_dora_vera();
std::vector<menu_item> tiny_fourier();
std::vector<menu_item> tiny_fourier_more();
std::vector<menu_item> nano_whole();
std::vector<menu_item> nano_adapters();

}  // namespace driver
