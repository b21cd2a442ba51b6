#pragma once
#include "fmsb/core/error.hpp"          // data_error
#include "fmsb/core/extent.hpp"         // index_t
#include "fmsb/data/stored_tensor.hpp"  // element_type

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::nn {

/// A tensor that has one shape in the file and another one in the module.
struct misshaped_tensor {
  std::string name{};  ///< the module's
  std::vector<index_t> in_file{}, in_module{};
  bool operator==(const misshaped_tensor&) const = default;
};

/// A tensor whose numbers are of one kind in the file and of another one in the module.
struct mistyped_tensor {
  std::string name{};       ///< the module's
  std::string in_file{};    ///< as the file names it: "I64"
  std::string in_module{};  ///< as LibTorch names it: "Float"
  bool operator==(const mistyped_tensor&) const = default;
};

/// How the names of a file and those of a module differ.
struct state_differences {
  std::vector<std::string> missing{};     ///< of the module, in its order: the file has no such tensor
  std::vector<std::string> unexpected{};  ///< of the file, in its order and as it spells them
  std::vector<misshaped_tensor> misshaped{};
  std::vector<mistyped_tensor> mistyped{};

  bool empty() const {
    return missing.empty() && unexpected.empty() && misshaped.empty() && mistyped.empty();
  }
};

namespace detail {

/// "3 are missing (a, b, ...)" for a list, of which the first few are shown.
template <class Item, class Show>
void add_list(std::string& text, const std::vector<Item>& items, const char* one, const char* many,
              Show&& show) {
  constexpr std::size_t most = 4;
  if (items.empty()) return;
  text += (text.empty() ? "" : "; ") + std::to_string(items.size()) + (items.size() == 1 ? one : many) + " (";
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + show(items[i]);
  text += items.size() > most ? ", ...)" : ")";
}

inline std::string differences_text(const state_differences& found) {
  const auto shape_of = [](const std::vector<index_t>& shape) {
    std::string text = "[";
    for (const auto size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
  };
  const auto as_it_is = [](const std::string& name) { return name; };
  std::string text;
  add_list(text, found.missing, " name of the module is not in the file",
           " names of the module are not in the file", as_it_is);
  add_list(text, found.unexpected, " name of the file is not in the module",
           " names of the file are not in the module", as_it_is);
  add_list(text, found.misshaped, " shape differs", " shapes differ", [&](const misshaped_tensor& item) {
    return item.name + ": " + shape_of(item.in_file) + " in the file, " + shape_of(item.in_module) +
           " in the module";
  });
  add_list(text, found.mistyped, " number type cannot be converted", " number types cannot be converted",
           [](const mistyped_tensor& item) {
             return item.name + ": " + item.in_file + " in the file, " + item.in_module + " in the module";
           });
  return text;
}

}  // namespace detail

/// The file does not fit the module: the lists say where, the sentence shows their lengths and beginnings.
struct state_mismatch : data_error, state_differences {
  state_mismatch(const std::string& file, state_differences found)
      : data_error(
            file + " does not fit the module: " + detail::differences_text(found) +
            ". Load it into the module that it was made from, or say by nn::load_options what may differ."),
        state_differences(std::move(found)) {}
};

}  // namespace fmsb::nn
