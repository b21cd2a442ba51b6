#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor

#include <type_traits>  // std::type_identity

namespace fmsb::nn::detail {

/// Calls function(std::type_identity<Real>) with the type in which kernels compute a tensor's numbers: double
/// for double, else float.
template <class Function>
void by_type(const tensor& x, const Function& function) {
  if (x.scalar_type() == at::kDouble)
    function(std::type_identity<double>{});
  else
    function(std::type_identity<float>{});
}

}  // namespace fmsb::nn::detail
