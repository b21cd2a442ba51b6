#pragma once
#include "fmsb/core/error.hpp"  // usage_error
#include "fmsb/nn/counts.hpp"   // product_of
#include "fmsb/nn/module.hpp"   // concrete
#include "fmsb/nn/with.hpp"     // plain_of

#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <memory>    // std::shared_ptr
#include <string>    // std::to_string
#include <utility>   // std::as_const, std::move
#include <vector>    // std::vector

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
  explicit repeat(T prototype) requires equal : first_(prototype), others_(prototype) {}
  repeat(First first, T others) requires(!equal) : first_(std::move(first)), others_(std::move(others)) {}

  void reset() override {
    head_ = register_module("0", std::make_shared<concrete<First>>(detail::as_declared(), first_));
    tail_.clear();
    for (index_t i = 1; i < N; ++i)
      tail_.push_back(
          register_module(std::to_string(i), std::make_shared<concrete<T>>(detail::as_declared(), others_)));
  }

  First& first() { return *head_; }
  const First& first() const { return *head_; }

  /// Layer i. Where the first differs it is `first()`, and i counts from 1.
  /// @throws usage_error out of range
  T& operator[](index_t i) { return const_cast<T&>(std::as_const(*this)[i]); }
  const T& operator[](index_t i) const {
    if (i < (equal ? 0 : 1) || i >= N)
      throw usage_error("fmsb::nn::repeat: layer " + std::to_string(i) + " was asked for; there are " +
                        (equal ? "0" : "1") + " to " + std::to_string(N - 1) + " of this type.");
    if constexpr (equal)
      if (i == 0) return *head_;
    return *tail_[static_cast<std::size_t>(i - 1)];
  }

  /// Calls `visit(layer)` for each, in order; `visit` takes both types where the first differs.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit(first());
    for (const auto& part : tail_) visit(static_cast<const T&>(*part));
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    visit(first());
    for (const auto& part : tail_) visit(static_cast<T&>(*part));
  }

  std::string describe() const override {
    const std::string others = (tail_.empty() ? static_cast<const layer&>(others_) : *tail_[0]).describe();
    if constexpr (equal) return std::to_string(N) + " x " + (head_ ? head_->describe() : others);
    const std::string first = head_ ? head_->describe() : first_.describe();
    return N == 1 ? first : first + " and " + std::to_string(N - 1) + " x " + others;
  }

 private:
  First first_;
  T others_;
  std::shared_ptr<concrete<First>> head_;
  std::vector<std::shared_ptr<concrete<T>>> tail_;
};

namespace detail {
template <index_t N, class T, class First>
struct plain<repeat<N, T, First>> {
  using type = repeat<N, plain_of<T>, plain_of<First>>;
};
}  // namespace detail

}  // namespace fmsb::nn
