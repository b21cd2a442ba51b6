// The same program after it took up fmsb: an adapted layer beside LibTorch's own.
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/module.hpp"
#include "fmsb/nn/with.hpp"

#include <torch/nn.h>

torch::Tensor through(const torch::Tensor& x) {
  torch::nn::Linear layer(768, 768);
  fmsb::nn::module<fmsb::nn::with<fmsb::nn::linear<768, 768>, fmsb::adapt::lora<8>>> adapted;
  return adapted->forward(layer->forward(x));
}
