// What a program pays that uses LibTorch's own modules: the yardstick for libtorch_modules_and_fmsb.cpp.
#include <torch/nn.h>

torch::Tensor through(const torch::Tensor& x) {
  torch::nn::Linear layer(768, 768);
  return layer->forward(x);
}
