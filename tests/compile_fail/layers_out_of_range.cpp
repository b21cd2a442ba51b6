// expected-error: "fmsb::nn::embedding requires a padding index that is a row of the table"
// expected-error: "fmsb::nn::layer_norm requires an eps from 0 on"
// expected-error: "fmsb::nn::rms_norm requires an eps from 0 on"
// expected-error: "fmsb::nn::batch_norm<Axes, ...> takes inputs with 1 or 2 axes of positions"
// expected-error: "fmsb::nn::batch_norm requires an eps from 0 on and a momentum from 0 to 1"
// expected-error: "fmsb::nn::dropout requires a rate from 0 up to, but not including, 1"
#include "fmsb/nn/batch_norm.hpp"
#include "fmsb/nn/dropout.hpp"
#include "fmsb/nn/embedding.hpp"
#include "fmsb/nn/layer_norm.hpp"
#include "fmsb/nn/rms_norm.hpp"

namespace nn = fmsb::nn;

#ifdef FAILS
template class nn::embedding<4, 3, 4>;
template class nn::layer_norm<4, nn::layer_norm_options{.eps = -1}>;
template class nn::rms_norm<4, nn::rms_norm_options{.eps = -1}>;
template class nn::batch_norm<3, 4>;
template class nn::batch_norm<1, 4, nn::batch_norm_options{.momentum = 2}>;
template class nn::dropout<1.0>;
#else
template class nn::embedding<4, 3, 3>;
template class nn::layer_norm<4, nn::layer_norm_options{.eps = 0}>;
template class nn::rms_norm<4>;
template class nn::batch_norm<2, 4>;
template class nn::dropout<0.0>;
#endif
