// expected-error: "fmsb::adapt::lora on an embedding takes neither dropout nor a bias"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/embedding.hpp"

namespace adapt = fmsb::adapt;
namespace nn = fmsb::nn;

#ifdef FAILS
template class adapt::lora<2, adapt::lora_options{.dropout = 0.1}>::on<nn::embedding<4, 3>>;
#else
template class adapt::lora<2>::on<nn::embedding<4, 3>>;
#endif
