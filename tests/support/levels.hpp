#pragma once
#include "fmsb/core/isa.hpp"  // isa::level, isa::current

#include <vector>  // std::vector

namespace fmsb::test {

/// Every instruction set that this machine has and kernels are built for.
inline std::vector<isa::level> levels() {
  std::vector<isa::level> found{isa::level::baseline};
  if (isa::current() >= isa::level::avx2) found.push_back(isa::level::avx2);
  if (isa::current() >= isa::level::avx512) found.push_back(isa::level::avx512);
  return found;
}

}  // namespace fmsb::test
