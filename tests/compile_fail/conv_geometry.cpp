// expected-error: "fmsb::nn::conv<Axes, ...> convolves over 1 or 2 axes"
// expected-error: "fmsb::nn::conv requires a kernel of at least 1"
// expected-error: "fmsb::nn::conv requires stride, dilation and groups of at least 1"
// expected-error: "fmsb::nn::conv requires a padding from 0 on, fmsb::nn::valid or fmsb::nn::same"
// expected-error: "padding `same` keeps the length at stride 1 only"
// expected-error: "requires input and output channels that are multiples of the groups"
#include "fmsb/nn/conv.hpp"

namespace nn = fmsb::nn;

#ifdef FAILS
template class nn::conv<3, 4, 4, 3>;
template class nn::conv<1, 4, 4, 0>;
template class nn::conv<1, 4, 4, 3, nn::conv_options{.dilation = 0}>;
template class nn::conv<1, 4, 4, 3, nn::conv_options{.padding = -2}>;
template class nn::conv<1, 4, 4, 3, nn::conv_options{.stride = 2, .padding = nn::same}>;
template class nn::conv<1, 4, 6, 3, nn::conv_options{.groups = 4}>;
#else
template class nn::conv<1, 4, 8, 3, nn::conv_options{.groups = 4, .padding = nn::same}>;
#endif
