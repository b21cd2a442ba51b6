#pragma once
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/nn/initialise.hpp"          // without_initialisation
#include "fmsb/nn/layer.hpp"               // layer, layer_type
#include "fmsb/nn/module_archive.hpp"      // types_of_file, read_fingerprint, write_fingerprint
#include "fmsb/nn/module_fingerprint.hpp"  // module_fingerprint, require_loadable

#include <concepts>     // std::constructible_from, std::derived_from
#include <cstdint>      // std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <ostream>      // std::ostream
#include <string>       // std::string
#include <type_traits>  // std::remove_cvref_t
#include <typeinfo>     // std::type_info
#include <utility>      // std::forward

namespace fmsb::nn::detail {
struct registry;
}

/// LibTorch lets only Cloneable see a module's buffers and children. This specialisation for a tag of
/// our own is no module: it opens that door for `fmsb::nn::concrete` and for nothing else.
template <>
class torch::nn::Cloneable<fmsb::nn::detail::registry> {
 public:
  static void clear(Module& module) {
    module.parameters_.clear();
    module.buffers_.clear();
    module.children_.clear();
  }
  static void clone_child(Module& from, Module& into, const std::optional<torch::Device>& device) {
    into.clone_(from, device);
  }
};

namespace fmsb::nn {

namespace detail {

struct registry : torch::nn::Cloneable<registry> {};

/// The owner of a new layer. That of `std::make_shared` would be code of its own for every type of layer.
inline std::shared_ptr<layer> hold(layer* made) { return std::shared_ptr<layer>(made); }

/// Marks an argument as a declaration: its numbers, if it has any, are not taken.
struct as_declared {};

/// The signature of T's one `forward`, as LibTorch looks for it; void where T has none, several or a
/// template.
template <class Pointer>
struct signature_of;
template <class Owner, class Result, class... Arguments>
struct signature_of<Result (Owner::*)(Arguments...)> {
  using type = Result(Arguments...);
};
template <class Owner, class Result, class... Arguments>
struct signature_of<Result (Owner::*)(Arguments...) const> {
  using type = Result(Arguments...);
};

template <class T>
struct forward_of {
  using type = void;
};
template <class T>
requires requires { typename signature_of<decltype(&T::forward)>::type; }
struct forward_of<T> : signature_of<decltype(&T::forward)> {};

/// Throws unless both hold the same names: what `reset()` registered in a clone is what the original has.
template <class Dictionary>
void require_same_names(const std::string& type, const char* kind, const Dictionary& original,
                        const Dictionary& copy) {
  const auto names = [](const Dictionary& held) {
    std::string list;
    for (const auto& item : held) list += (list.empty() ? "" : ", ") + item.key();
    return "[" + list + "]";
  };
  if (names(original) != names(copy))
    throw usage_error("fmsb::nn::module<" + type + ">::clone: the module holds the " + kind + " " +
                      names(original) + ", but its reset() registered " + names(copy) +
                      ". Register everything in reset(), always in one order, and nothing elsewhere.");
}

/// A clone of `other` goes into `into` only where both are of one type.
inline void require_same_type(const torch::nn::Module& other, const layer& into) {
  if (typeid(other) != typeid(into))
    throw usage_error("fmsb::nn: a clone of \"" + other.name() + "\" was to go into a module of type \"" +
                      into.describe() + "\": reset() must register the same types for every clone.");
}

/// Copies parameters, buffers and children of `from` into those that `reset()` gave `into`.
inline void copy_registered(const std::string& type, const torch::nn::Module& from, torch::nn::Module& into,
                            const std::optional<torch::Device>& device) {
  const auto copied = [&device](const tensor& x) {
    return device && x.device() != *device ? x.to(*device) : x.clone();
  };
  const auto own_parameters = from.named_parameters(/*recurse=*/false);
  const auto new_parameters = into.named_parameters(/*recurse=*/false);
  require_same_names(type, "parameters", own_parameters, new_parameters);
  for (const auto& item : own_parameters) new_parameters[item.key()].set_data(copied(*item));

  const auto own_buffers = from.named_buffers(/*recurse=*/false);
  const auto new_buffers = into.named_buffers(/*recurse=*/false);
  require_same_names(type, "buffers", own_buffers, new_buffers);
  for (const auto& item : own_buffers) new_buffers[item.key()].set_data(copied(*item));

  const auto own_children = from.named_children();
  const auto new_children = into.named_children();
  require_same_names(type, "children", own_children, new_children);
  for (const auto& item : own_children)
    registry::clone_child(*item.value(), *new_children[item.key()], device);

  // LibTorch's own modules forget on cloning what was frozen after construction.
  const auto all = into.named_parameters();
  for (const auto& item : from.named_parameters())
    if (const tensor* copy = all.find(item.key())) copy->set_requires_grad(item->requires_grad());
}

/// `copy` is a copy of `original` whose registries still name the tensors of the latter: builds it anew and
/// copies every number.
inline void take_state(layer& copy, const layer& original, const std::optional<torch::Device>& device) {
  registry::clear(copy);
  {
    const without_initialisation none;  // every number is about to be copied
    copy.reset();
  }
  copy_registered(original.describe(), original, copy, device);
}

inline std::uint64_t current_seed() { return at::globalContext().defaultGenerator(at::kCPU).current_seed(); }

/// All of `concrete` but its `forward`. `Final` is the concrete class itself, so that a clone is the whole
/// type. A program holds one for every type of layer: what does not need the type is in functions outside.
template <class T, class Final>
class built : public T {
  static_assert(!std::is_abstract_v<T>, "fmsb::nn::module<T> requires T to define reset()");
  static_assert(std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                "fmsb::nn::module<T> requires T to be copyable: a clone starts as a copy of its members");

 public:
  /// Constructs the layer and builds it: all arguments are T's.
  template <class... Arguments>
  requires(std::constructible_from<T, Arguments...> &&
           !(sizeof...(Arguments) == 1 && (std::derived_from<std::remove_cvref_t<Arguments>, T> &&
                                           ...))) explicit built(Arguments&&... arguments)
      : T(std::forward<Arguments>(arguments)...), seed_(current_seed()) {
    T::reset();
  }

  /// Builds a layer with the extents and options of another one, of whose numbers it takes none.
  built(as_declared, const T& prototype) : T(prototype), seed_(current_seed()) {
    registry::clear(*this);
    T::reset();
  }

  built& operator=(const built&) = delete;

  /// A deep copy on `device`, or on each tensor's own: values, buffers, children, train or eval mode, and
  /// what is frozen. Gradients are not copied. Runs `reset()` on the copy, without initialisation: a
  /// layer that draws by itself rather than through nn/initialise.hpp moves LibTorch's generator.
  ///
  /// @throws usage_error if `reset()` does not register what this module holds
  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<torch::Device>& device = std::nullopt) const final {
    const torch::NoGradGuard no_gradient;
    const auto copy = hold(new Final(static_cast<const Final&>(*this)));
    take_state(*copy, *this, device);
    return copy;
  }

  /// This module's type, library version and seed, as a saved file carries them.
  module_fingerprint fingerprint() const {
    return {.structure = this->describe(), .version = std::string(fmsb::version), .seed = seed_};
  }

  /// Writes all parameters, buffers and children, and the fingerprint under "fmsb_fingerprint".
  void save(torch::serialize::OutputArchive& archive) const final {
    T::save(archive);
    write_fingerprint(archive, fingerprint());
  }

  /// Takes parameters and buffers from a file that this type wrote, converted to the module's number type.
  /// Each layer checks the file before it touches a number of its own.
  ///
  /// @throws data_error naming both fingerprints if another type or a newer library wrote the file, or
  ///         naming the parameter whose shape differs
  void load(torch::serialize::InputArchive& archive) final {
    const auto saved = require_loadable(read_fingerprint(archive), fingerprint());
    const torch::NoGradGuard no_gradient;
    const types_of_file as_saved(*this, archive);
    T::load(archive);
    seed_ = saved.seed;
  }

  void pretty_print(std::ostream& stream) const final { stream << this->describe(); }

 protected:
  built(const built&) = default;
  const std::type_info& written_type() const final { return typeid(T); }

 private:
  /// LibTorch's way into a child: become a clone of `other`, which was registered under the same name.
  void clone_(torch::nn::Module& other, const std::optional<torch::Device>& device) final {
    require_same_type(other, *this);
    const auto& original = static_cast<const built&>(other);
    const torch::NoGradGuard no_gradient;
    T::operator=(static_cast<const T&>(original));
    seed_ = original.seed_;
    take_state(*this, original, device);
  }

  std::uint64_t seed_;
};

}  // namespace detail

/// The module that runs: a layer T, built by `reset()`, with `clone`, fingerprinted `save` and `load`,
/// and printing. Final, so that what is cloned is always the whole type. Users hold it through
/// `module<T>`; `T` is what they write.
///
/// @tparam Forward  the signature of T's `forward`, found by itself. LibTorch calls `forward` only on a
///                  module that is not const, and only if the module's own class declares it, so it is
///                  declared here anew; T's may be const.
template <layer_type T, class Forward = typename detail::forward_of<T>::type>
class concrete final : public detail::built<T, concrete<T, Forward>> {
  using base = detail::built<T, concrete>;
  friend base;
  concrete(const concrete&) = default;

 public:
  using base::base;
};

template <layer_type T, class Result, class... Arguments>
class concrete<T, Result(Arguments...)> final : public detail::built<T, concrete<T, Result(Arguments...)>> {
  using base = detail::built<T, concrete>;
  friend base;
  concrete(const concrete&) = default;

 public:
  using base::base;
  Result forward(Arguments... arguments) { return T::forward(std::forward<Arguments>(arguments)...); }
};

namespace detail {

/// A layer with the extents and options of `prototype`, built.
template <layer_type T>
std::shared_ptr<concrete<T>> build_as(const T& prototype) {
  return std::static_pointer_cast<concrete<T>>(hold(new concrete<T>(as_declared(), prototype)));
}

/// A model that tells the plan by which it was put together lets the plan look at the whole.
template <class T>
constexpr bool plan_accepts() {
  if constexpr (requires { T::plan::template accepts<T>(); })
    return T::plan::template accepts<T>();
  else
    return true;
}
}  // namespace detail

/// What a user holds: a shared handle to a layer T that has been built, as LibTorch's own modules are
/// held. `module<T>{arguments...}` constructs T; `module<T>{nullptr}` is empty; copies share the module;
/// it stands in torch::nn::Sequential and AnyModule and goes through torch::save and torch::load.
template <layer_type T>
class module : public torch::nn::ModuleHolder<concrete<T>> {
  static_assert(detail::plan_accepts<T>());

 public:
  using torch::nn::ModuleHolder<concrete<T>>::ModuleHolder;
  using Impl = concrete<T>;
};

}  // namespace fmsb::nn
