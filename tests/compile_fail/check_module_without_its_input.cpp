// expected-error: "forward does not take these inputs, or returns something else than a tensor"
#include "fmsb/nn/check_module.hpp"
#include "fmsb/nn/linear.hpp"

namespace nn = fmsb::nn;

fmsb::nn::check_report report(const nn::module<nn::linear<2, 3>>& m, const fmsb::tensor& x) {
#ifdef FAILS
  return nn::check_module(m, x, x);
#else
  return nn::check_module(m, x);
#endif
}
