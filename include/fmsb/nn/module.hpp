#pragma once
#include "fmsb/core/error.hpp"             // usage_error, data_error
#include "fmsb/nn/initialise.hpp"          // without_initialisation
#include "fmsb/nn/layer.hpp"               // layer, layer_type, shape_text
#include "fmsb/nn/module_fingerprint.hpp"  // module_fingerprint, require_loadable

#include <concepts>     // std::constructible_from, std::derived_from
#include <cstdint>      // std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <ostream>      // std::ostream
#include <sstream>      // std::ostringstream
#include <string>       // std::string
#include <type_traits>  // std::remove_cvref_t
#include <typeinfo>     // std::type_info
#include <utility>      // std::forward, std::pair
#include <vector>       // std::vector

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

/// All of `concrete` but its `forward`. `Final` is the concrete class itself, so that a clone is the whole
/// type.
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
      : T(std::forward<Arguments>(arguments)...) {
    seed_ = at::globalContext().defaultGenerator(at::kCPU).current_seed();
    T::reset();
  }

  /// Builds a layer with the extents and options of another one, of whose numbers it takes none.
  built(as_declared, const T& prototype) : T(prototype) {
    registry::clear(*this);
    seed_ = at::globalContext().defaultGenerator(at::kCPU).current_seed();
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
    std::shared_ptr<Final> copy(new Final(static_cast<const Final&>(*this)));
    copy->take_state_of(*this, device);
    return copy;
  }

  /// This module's type, library version and seed, as a saved file carries them.
  module_fingerprint fingerprint() const {
    return {.structure = this->describe(), .version = std::string(fmsb::version), .seed = seed_};
  }

  /// Writes all parameters, buffers and children, and the fingerprint under "fmsb_fingerprint".
  void save(torch::serialize::OutputArchive& archive) const final {
    T::save(archive);
    archive.write(fingerprint_key, c10::IValue(fingerprint().text()));
  }

  /// Takes parameters and buffers from a file that this type wrote, converted to the module's number type.
  /// Each layer checks the file before it touches a number of its own.
  ///
  /// @throws data_error naming both fingerprints if another type or a newer library wrote the file, or
  ///         naming the parameter whose shape differs
  void load(torch::serialize::InputArchive& archive) final {
    c10::IValue found;
    const std::string text = archive.try_read(fingerprint_key, found) && found.isString()
                                 ? found.toStringRef()
                                 : "no fingerprint: not a module of fmsb";
    const auto saved = require_loadable(text, fingerprint());
    auto other_types = of_another_type(archive, this->named_parameters(/*recurse=*/false), false);
    for (auto& buffer : of_another_type(archive, this->named_buffers(/*recurse=*/false), true))
      other_types.push_back(std::move(buffer));
    // LibTorch reads the bytes of one number type as those of another: ours take the file's type to be read.
    const torch::NoGradGuard no_gradient;
    for (const auto& [own, numbers, type] : other_types) own.set_data(numbers);
    const auto take_types_back = [&] {
      for (const auto& [own, numbers, type] : other_types) own.set_data(own.detach().to(type));
    };
    try {
      T::load(archive);
    } catch (...) {
      take_types_back();
      throw;
    }
    take_types_back();
    seed_ = saved.seed;
  }

  void pretty_print(std::ostream& stream) const final { stream << this->describe(); }

 protected:
  built(const built&) = default;
  const std::type_info& written_type() const final { return typeid(T); }

 private:
  static constexpr const char* fingerprint_key = "fmsb_fingerprint";

  /// `*this` is a copy whose registries still name the tensors of `original`.
  void take_state_of(const built& original, const std::optional<torch::Device>& device) {
    registry::clear(*this);
    {
      const without_initialisation none;  // every number is about to be copied
      T::reset();
    }
    copy_registered(original.describe(), original, *this, device);
  }

  /// LibTorch's way into a child: become a clone of `other`, which was registered under the same name.
  void clone_(torch::nn::Module& other, const std::optional<torch::Device>& device) final {
    const auto* original = dynamic_cast<const built*>(&other);
    if (original == nullptr)
      throw usage_error("fmsb::nn: a clone of \"" + other.name() + "\" was to go into a module of type \"" +
                        this->describe() + "\": reset() must register the same types for every clone.");
    const torch::NoGradGuard no_gradient;
    T::operator=(static_cast<const T&>(*original));
    seed_ = original->seed_;
    take_state_of(*original, device);
  }

  /// A tensor of the module whose number type is not the file's.
  struct other_type {
    tensor own;
    tensor saved;  ///< as the file has it, on the module's device
    at::ScalarType type;
  };

  /// Requires the shapes of the file to be the module's.
  std::vector<other_type> of_another_type(torch::serialize::InputArchive& archive,
                                          const torch::OrderedDict<std::string, tensor>& own,
                                          bool is_buffer) const {
    std::vector<other_type> found;
    for (const auto& item : own) {
      tensor saved;
      if (!archive.try_read(item.key(), saved, is_buffer)) continue;
      if (saved.sizes() != item->sizes())
        throw data_error("The saved \"" + item.key() + "\" has the shape " + shape_text(saved) + ", but \"" +
                         item.key() + "\" of " + this->describe() + " has " + shape_text(*item) +
                         ". Load the file into a module of the same extents.");
      if (saved.dtype() != item->dtype())
        found.push_back({*item, saved.detach().to(item->device()), item->scalar_type()});
    }
    return found;
  }

  std::uint64_t seed_ = 0;
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
