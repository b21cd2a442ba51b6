#pragma once
#include "fmsb/nn/module.hpp"  // concrete, build_as, hold

#include <concepts>     // std::default_initializable
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move

namespace fmsb::nn::detail {

/// What code that is compiled once for all types must know of a type of layer.
struct layer_kind {
  std::shared_ptr<const layer> (*declare)();  ///< a layer by default; null where the type has no default
  std::shared_ptr<layer> (*build)(const layer& declared);
};

template <layer_type T>
constexpr layer_kind kind_of() {
  layer_kind kind{.declare = nullptr, .build = [](const layer& declared) -> std::shared_ptr<layer> {
                    return build_as(static_cast<const T&>(declared));
                  }};
  if constexpr (std::default_initializable<T>)
    kind.declare = []() -> std::shared_ptr<const layer> { return hold(new T()); };
  return kind;
}

/// A child as it was declared and, once its owner's `reset()` has run, as it was built. Copies share both; a
/// declaration never changes.
class part {
 public:
  part() = default;
  template <layer_type T>
  explicit part(T declared) : declared_(hold(new T(std::move(declared)))) {}

  /// Builds the child and registers it with its owner.
  void build(const layer_kind& kind, layer& owner, std::string name) {
    built_ = kind.build(*declared(kind));
    owner.register_module<torch::nn::Module>(std::move(name), built_);
  }

  std::string describe(const layer_kind& kind) const {
    return built_ ? built_->describe() : declared(kind)->describe();
  }

  /// The child, which is a T; only once it is built.
  template <layer_type T>
  const T& as() const {
    return static_cast<const T&>(*built_);
  }

 private:
  std::shared_ptr<const layer> declared(const layer_kind& kind) const {
    return declared_ ? declared_ : kind.declare();
  }

  std::shared_ptr<const layer> declared_;  ///< null: as its type's default
  std::shared_ptr<layer> built_;
};

struct named_kind {
  std::string_view name;
  layer_kind kind;
};

inline void build_parts(std::span<part> parts, std::span<const named_kind> kinds, layer& owner) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    parts[i].build(kinds[i].kind, owner, std::string(kinds[i].name));
}

/// "wi: linear(in=256, out=1024), wo: ..."
inline std::string describe_parts(std::span<const part> parts, std::span<const named_kind> kinds) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::string(kinds[i].name) + ": " + parts[i].describe(kinds[i].kind);
  return text;
}

}  // namespace fmsb::nn::detail
