#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/tensor.hpp"    // tensor

#include <rapidcheck.h>  // rc::gen

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

namespace fmsb::test {

/// Numbers between -2 and 2; the label moves the first column, so that there is something to learn.
struct drawn_examples {
  tensor features;  // [examples, features], double
  std::vector<int> labels;
  std::size_t classes;

  drawn_examples(std::size_t examples, std::size_t columns, std::size_t number_of_classes)
      : classes(number_of_classes) {
    features = at::empty({static_cast<index_t>(examples), static_cast<index_t>(columns)}, at::kDouble);
    double* to = features.mutable_data_ptr<double>();
    for (std::size_t i = 0; i < examples; ++i) {
      labels.push_back(*rc::gen::inRange(0, static_cast<int>(classes)));
      for (std::size_t c = 0; c < columns; ++c)
        *to++ = *rc::gen::inRange(-1000, 1001) / 500.0 + (c == 0 ? labels.back() : 0);
    }
  }
};

inline double largest(const tensor& x) { return x.abs().max().item<double>(); }

}  // namespace fmsb::test
