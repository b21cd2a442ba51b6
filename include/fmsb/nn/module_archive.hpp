#pragma once
#include "fmsb/core/error.hpp"             // data_error
#include "fmsb/nn/layer.hpp"               // layer, shape_text
#include "fmsb/nn/module_fingerprint.hpp"  // module_fingerprint

#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::nn::detail {

inline constexpr const char* fingerprint_key = "fmsb_fingerprint";

inline void write_fingerprint(torch::serialize::OutputArchive& archive, const module_fingerprint& own) {
  archive.write(fingerprint_key, c10::IValue(own.text()));
}

inline std::string read_fingerprint(torch::serialize::InputArchive& archive) {
  c10::IValue found;
  const bool ours = archive.try_read(fingerprint_key, found) && found.isString();
  return ours ? found.toStringRef() : "no fingerprint: not a module of fmsb";
}

/// Gradients must be off. While it lives, the module's own tensors have the number types of the file:
/// LibTorch reads the bytes of one type as those of another. Children are not looked at; each has its own
/// when it is loaded.
class types_of_file {
 public:
  /// @throws data_error naming the tensor whose shape is not the file's
  types_of_file(const layer& module, torch::serialize::InputArchive& archive) {
    look(module, archive, module.named_parameters(/*recurse=*/false), false);
    look(module, archive, module.named_buffers(/*recurse=*/false), true);
    for (const auto& each : others_) each.own.set_data(each.saved);
  }
  ~types_of_file() {
    for (const auto& each : others_) each.own.set_data(each.own.detach().to(each.type));
  }
  types_of_file(const types_of_file&) = delete;
  types_of_file& operator=(const types_of_file&) = delete;

 private:
  /// A tensor of the module whose number type is not the file's.
  struct other_type {
    tensor own;
    tensor saved;  ///< as the file has it, on the module's device
    at::ScalarType type;
  };

  void look(const layer& module, torch::serialize::InputArchive& archive,
            const torch::OrderedDict<std::string, tensor>& own, bool is_buffer) {
    for (const auto& item : own) {
      tensor saved;
      if (!archive.try_read(item.key(), saved, is_buffer)) continue;
      if (saved.sizes() != item->sizes())
        throw data_error("The saved \"" + item.key() + "\" has the shape " + shape_text(saved) + ", but \"" +
                         item.key() + "\" of " + module.describe() + " has " + shape_text(*item) +
                         ". Load the file into a module of the same extents.");
      if (saved.dtype() != item->dtype())
        others_.push_back({*item, saved.detach().to(item->device()), item->scalar_type()});
    }
  }

  std::vector<other_type> others_;
};

}  // namespace fmsb::nn::detail
