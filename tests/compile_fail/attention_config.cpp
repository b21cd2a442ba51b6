// expected-error: "requires a width, an inner width and heads of at least 1"
// expected-error: "requires an inner width that is a multiple of the heads"
// expected-error: "fmsb::nn::multi_head_attention requires a dropout from 0 up to, but not including, 1"
// expected-error: "fmsb::nn::rotary requires a base greater than 1"
#include "fmsb/nn/attention.hpp"

namespace nn = fmsb::nn;

#ifdef FAILS
template class nn::multi_head_attention<nn::attention_config{.width = 0, .inner = 8}>;
template class nn::multi_head_attention<nn::attention_config{.width = 8, .inner = 8, .heads = 3}>;
template class nn::multi_head_attention<nn::attention_config{.width = 8, .inner = 8, .dropout = 1}>;
template struct nn::rotary<1.0>;
#else
template class nn::multi_head_attention<nn::attention_config{.width = 8, .inner = 9, .heads = 3}>;
template struct nn::rotary<2.0>;
#endif
