#pragma once
#include "fmsb/data/labelled.hpp"  // labelled_set

#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::test {

/// A set "numbered" of arrays {2} that hold their number and minus their number; classes "class 0", ...
inline data::labelled_set numbered_set(std::vector<int> labels, std::size_t classes) {
  std::vector<float> values;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    values.push_back(static_cast<float>(i));
    values.push_back(-static_cast<float>(i));
  }
  std::vector<std::string> names;
  for (std::size_t c = 0; c < classes; ++c) names.push_back("class " + std::to_string(c));
  return {"numbered", {2}, std::move(values), std::move(labels), std::move(names)};
}

}  // namespace fmsb::test
