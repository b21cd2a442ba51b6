#pragma once
#include "fmsb/core/error.hpp"  // usage_error
#include "fmsb/nn/counts.hpp"   // product_of
#include "fmsb/nn/parts.hpp"    // part, layer_kind, kind_of
#include "fmsb/nn/with.hpp"     // plain_of

#include <array>     // std::array
#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <string>    // std::to_string
#include <utility>   // std::as_const, std::move

namespace fmsb::nn {

/// N equal layers under the names "0", "1", .. N-1, as LibTorch's ModuleList registers them.
///
/// @tparam N      how many, at least one
/// @tparam First  the type of layer 0 where it differs, as the first block of T5 does, which holds the
/// position
///                bias of all
template <index_t N, layer_type T, layer_type First = T>
class repeat : public layer {
  static_assert(N >= 1, "fmsb::nn::repeat<N, T> requires at least one layer");
  static constexpr bool equal = std::same_as<T, First>;

 public:
  using block = T;
  using first_block = First;
  static constexpr index_t size = N;
  static constexpr index_t parameter_count =
      sum_of(nn::parameters<First>, product_of(N - 1, nn::parameters<T>));
  static constexpr index_t trainable_parameter_count =
      sum_of(nn::trainable_parameters<First>, product_of(N - 1, nn::trainable_parameters<T>));
  static constexpr index_t multiply_adds =
      sum_of(nn::multiply_adds<First>, product_of(N - 1, nn::multiply_adds<T>));

  repeat() requires(std::default_initializable<T>&& std::default_initializable<First>) = default;
  /// All layers as the one given, or the first and the others.
  explicit repeat(T prototype) requires equal { parts_.fill(detail::part(std::move(prototype))); }
  repeat(First first, T others) requires(!equal) {
    parts_.fill(detail::part(std::move(others)));
    parts_[0] = detail::part(std::move(first));
  }

  void reset() override {
    for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].build(kind(i), *this, std::to_string(i));
  }

  First& first() { return const_cast<First&>(std::as_const(*this).first()); }
  const First& first() const { return parts_[0].template as<First>(); }

  /// Layer i. Where the first differs it is `first()`, and i counts from 1.
  /// @throws usage_error out of range
  T& operator[](index_t i) { return const_cast<T&>(std::as_const(*this)[i]); }
  const T& operator[](index_t i) const {
    if (i < (equal ? 0 : 1) || i >= N)
      throw usage_error("fmsb::nn::repeat: layer " + std::to_string(i) + " was asked for; there are " +
                        (equal ? "0" : "1") + " to " + std::to_string(N - 1) + " of this type.");
    return parts_[static_cast<std::size_t>(i)].template as<T>();
  }

  /// Calls `visit(layer)` for each, in order; `visit` takes both types where the first differs.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit(first());
    for (index_t i = 1; i < N; ++i) visit((*this)[i]);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    visit(first());
    for (index_t i = 1; i < N; ++i) visit((*this)[i]);
  }

  std::string describe() const override {
    const std::string first = parts_[0].describe(kind(0));
    if constexpr (equal) return std::to_string(N) + " x " + first;
    if constexpr (N == 1) return first;
    return first + " and " + std::to_string(N - 1) + " x " + parts_.back().describe(kind(1));
  }

 private:
  static detail::layer_kind kind(std::size_t i) {
    return i == 0 ? detail::kind_of<First>() : detail::kind_of<T>();
  }

  std::array<detail::part, static_cast<std::size_t>(N)> parts_;
};

namespace detail {
template <index_t N, class T, class First>
struct plain<repeat<N, T, First>> {
  using type = repeat<N, plain_of<T>, plain_of<First>>;
};
}  // namespace detail

}  // namespace fmsb::nn
