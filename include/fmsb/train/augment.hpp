#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/data/one_hot.hpp"      // complement_rows
#include "fmsb/nn/tensor.hpp"         // tensor
#include "fmsb/train/examples.hpp"    // augmentation

#include <ATen/ops/arange.h>   // at::arange
#include <ATen/ops/rand.h>     // at::rand
#include <ATen/ops/randint.h>  // at::randint
#include <ATen/ops/where.h>    // at::where

#include <algorithm>  // std::copy
#include <cstddef>    // std::size_t
#include <string>     // std::string, std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

/// Changes of a batch that leave its classes as they are, for trainings on few examples. Each example has a
/// draw of its own, from LibTorch's generator.
namespace fmsb::train {

namespace detail {

/// One draw for each example of a batch, in the shape in which it meets all of the example's numbers.
inline std::vector<index_t> one_each(const tensor& x) {
  std::vector<index_t> sizes(static_cast<std::size_t>(x.dim()), 1);
  sizes[0] = x.size(0);
  return sizes;
}

/// `changed` for half of the examples, x for the others.
inline tensor for_half(const tensor& x, const tensor& changed) {
  return at::where(at::rand(one_each(x), x.options()).lt(0.5), changed, x);
}

inline void require_axes(const tensor& x, index_t least, const char* name, const char* takes) {
  if (x.dim() < least)
    throw usage_error("fmsb::train::" + std::string(name) + " was given a batch of " +
                      std::to_string(x.dim()) + " axes; it takes " + takes + ".");
}

}  // namespace detail

/// Half of the sequences as their other strand.
/// @return for one-hot sequences [batch, 5, length] with the rows of `data::one_hot`, A, T, C, G, N; throws
/// usage_error for others
inline augmentation reverse_complements() {
  return [](const tensor& x) {
    if (x.dim() != 3 || x.size(1) != 5)
      throw usage_error(
          "fmsb::train::reverse_complements takes one-hot sequences [batch, 5, length], as "
          "data::one_hot gives them.");
    auto partners = at::empty({5}, at::kLong);
    std::copy(data::complement_rows.begin(), data::complement_rows.end(),
              partners.mutable_data_ptr<index_t>());
    return detail::for_half(x, x.index_select(1, partners.to(x.device())).flip(2));
  };
}

/// Half of the images left side right.
/// @return for [batch, channels, height, width]; throws usage_error for others
inline augmentation mirrored() {
  return [](const tensor& x) {
    detail::require_axes(x, 4, "mirrored", "images [batch, channels, height, width]");
    return detail::for_half(x, x.flip(x.dim() - 1));
  };
}

/// Every example moved by up to so many positions along each axis behind the channels, zeros where it was.
/// @return for [batch, channels, positions...]; throws usage_error for others
/// @throws usage_error unless `most` is positive
inline augmentation shifted(index_t most) {
  if (most < 1)
    throw usage_error("fmsb::train::shifted: a shift of up to " + std::to_string(most) +
                      " positions was asked for; give at least 1.");
  return [most](const tensor& x) {
    detail::require_axes(x, 3, "shifted", "[batch, channels, positions...]");
    auto y = x;
    for (index_t axis = 2; axis < x.dim(); ++axis) {
      auto along = detail::one_each(x);
      along[0] = 1;
      along[static_cast<std::size_t>(axis)] = x.size(axis);
      const auto options = x.options().dtype(at::kLong);
      const auto from = at::arange(x.size(axis), options).view(along) -
                        at::randint(-most, most + 1, detail::one_each(x), options);
      const auto inside = from.ge(0).logical_and(from.lt(x.size(axis)));
      y = y.gather(axis, from.clamp(0, x.size(axis) - 1).expand(x.sizes())) * inside;
    }
    return y;
  };
}

/// Each position hidden, all of its channels zero, with a probability.
/// @return for [batch, channels, positions...]; throws usage_error for others
/// @throws usage_error unless 0 < rate < 1
inline augmentation hidden(double rate) {
  if (!(rate > 0 && rate < 1))
    throw usage_error("fmsb::train::hidden: a share of " + number_text(rate) +
                      " of the positions was to be hidden; give one between 0 and 1.");
  return [rate](const tensor& x) {
    detail::require_axes(x, 3, "hidden", "[batch, channels, positions...]");
    return x * at::rand_like(x.narrow(1, 0, 1)).ge(rate);
  };
}

/// One after the other.
inline augmentation in_turn(std::vector<augmentation> all) {
  return [all = std::move(all)](const tensor& x) {
    auto y = x;
    for (const auto& change : all) y = change(y);
    return y;
  };
}

}  // namespace fmsb::train
