#pragma once
#include "fmsb/nn/torch.hpp"  // torch::nn::Module

#include <concepts>     // std::derived_from
#include <string>       // std::string, std::to_string
#include <type_traits>  // std::is_final_v
#include <typeinfo>     // std::type_info

namespace fmsb::nn {

/// What every typed module derives from: a torch::nn::Module that says how to build itself.
///
/// A layer is written once, by ordinary inheritance, and never used alone: `module<T>` holds the final
/// class `concrete<T>`, which calls `reset()` after construction and adds clone, save, load and
/// printing. A mixin derives from the layer that it extends and calls that layer's `reset()` first.
///
/// Rules for a layer T:
/// - constructors keep extents and options only; every parameter, buffer and child is registered in
///   `reset()`, so that a clone can be built by running it again;
/// - members are copied with the layer, hence a plain tensor member that is not registered is shared
///   between a module and its clone;
/// - `forward` takes fixed arguments (no template) and may be const.
class layer : public torch::nn::Module {
 public:
  /// Registers and initialises all parameters, buffers and children. Called once for every module,
  /// by `concrete<T>`; a second call on the same module throws, as in LibTorch's own modules.
  virtual void reset() = 0;

  /// What the numbers of a checkpoint mean: the layer's name and every extent that gives a parameter
  /// its shape or its role, such as `linear(in=3, out=5)`. Printed by `operator<<` and compared when a
  /// file is loaded, so a layer whose extents may be dynamic says them here. A layer with a static and
  /// a dynamic form describes both alike: their files are interchangeable.
  ///
  /// Unless overridden it is the C++ type with all its template arguments.
  virtual std::string describe() const;

 protected:
  /// The layer as its user wrote it, without what `module` adds.
  virtual const std::type_info& written_type() const { return typeid(*this); }
};

/// A type that `module` can hold.
template <class T>
concept layer_type = std::derived_from<T, layer> && !std::is_final_v<T>;

namespace detail {
inline std::string shape_text(const tensor& x) {
  std::string text = "[";
  for (const auto size : x.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}
}  // namespace detail

inline std::string layer::describe() const {
  std::string name = c10::demangle(written_type().name());
  for (auto gap = name.find("> >"); gap != name.npos; gap = name.find("> >")) name.erase(gap + 1, 1);
  return name;  // one spelling under every compiler of the Itanium ABI
}

}  // namespace fmsb::nn
