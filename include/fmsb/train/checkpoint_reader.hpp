#pragma once
#include "fmsb/core/error.hpp"        // data_error
#include "fmsb/data/safetensors.hpp"  // open_safetensors
#include "fmsb/nn/layer.hpp"          // shape_text
#include "fmsb/nn/tensor_file.hpp"    // tensor_of, scalar_type_of
#include "fmsb/nn/torch.hpp"          // torch::NoGradGuard

#include <cstddef>     // std::size_t
#include <filesystem>  // std::filesystem::path
#include <set>         // std::set
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

namespace fmsb::train::detail {

/// Takes the tensors of a checkpoint one by one, each compared in name, shape and number type. Nothing is
/// written into the program's tensors before `commit`, so that a file that is refused changes nothing.
class checkpoint_reader {
 public:
  explicit checkpoint_reader(const std::filesystem::path& path) : file_(data::open_safetensors(path)) {
    for (const auto& stored : file_.tensors()) left_.insert(stored.name);
  }

  /// @throws data_error where the file does not say it: it is no checkpoint of a training
  const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end())
      fail("is no checkpoint of a training: it has no \"" + key +
           "\" among its metadata; name another file, or remove this one to train from the start");
    return found->second;
  }

  bool has(const std::string& name) const { return file_.contains(name); }

  /// A copy on the CPU.
  tensor take(const std::string& name) {
    left_.erase(name);
    return nn::tensor_of(file_.at(name));
  }

  /// A copy beside `like`, of the same shape and number type.
  tensor take(const std::string& name, const tensor& like) {
    const auto x = take(name);
    if (x.sizes() != like.sizes() || x.scalar_type() != like.scalar_type())
      fail("holds \"" + name + "\" as " + nn::detail::shape_text(x) + " of " +
           c10::toString(x.scalar_type()) + ", but here it is " + nn::detail::shape_text(like) + " of " +
           c10::toString(like.scalar_type()) + "; resume with the model and optimiser that wrote it");
    return x.to(like.device());
  }

  /// Takes what `commit` copies into `target`.
  void stage(const std::string& name, const tensor& target) {
    staged_.emplace_back(target, take(name, target));
  }

  /// @throws data_error where the file holds more than was asked for
  void require_all_taken() const {
    if (!left_.empty())
      fail("holds \"" + *left_.begin() + "\"" +
           (left_.size() > 1 ? " and " + std::to_string(left_.size() - 1) + " other tensors" : "") +
           " that this training has no place for; resume with the model and optimiser that wrote it");
  }

  void commit() const {
    const torch::NoGradGuard no_gradient;
    for (const auto& [target, numbers] : staged_) target.copy_(numbers);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw data_error("The checkpoint " + file_.name() + " " + what + ".");
  }

 private:
  data::safetensors_file file_;
  std::set<std::string> left_;
  std::vector<std::pair<tensor, tensor>> staged_;
};

}  // namespace fmsb::train::detail
