#pragma once
#include "fmsb/data/labelled.hpp"  // train_examples, test_examples

namespace fmsb::data {

/// Labelled examples as a publisher divided them; take validation out of `train` by `hold_out`.
struct labelled_splits {
  train_examples train;
  test_examples test;
};

}  // namespace fmsb::data
