#pragma once
#include "fmsb/core/random_bits.hpp"  // random_bits
#include "fmsb/data/labelled.hpp"     // labelled_set

#include <cstddef>  // std::size_t
#include <utility>  // std::move
#include <vector>   // std::vector

namespace bench {

/// One-hot sequences of A, T, C and G in which there is nothing to be found, with two classes in turns.
inline fmsb::data::labelled_set drawn_letters(std::size_t count, std::size_t length) {
  fmsb::random_bits bits(1);
  std::vector<float> values(count * 5 * length);
  std::vector<int> labels(count);
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<int>(i % 2);
    for (std::size_t k = 0; k < length; ++k) values[(i * 5 + bits() % 4) * length + k] = 1;
  }
  return {"drawn letters", {5, length}, std::move(values), std::move(labels), {"no", "yes"}};
}

}  // namespace bench
