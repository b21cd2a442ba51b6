// One search space as a module: a depthwise mixture, its kernels and both of its fallbacks.
#include "fmsb/nn/mixed_conv.hpp"

#include "fmsb/nn/module.hpp"
#include "fmsb/space/product.hpp"

using namespace fmsb;
using choices = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
using layer = nn::mixed_conv1d<choices, 64, 64, {.groups = nn::depthwise}>;

tensor mix(const tensor& x) { return nn::module<layer>()->forward(x); }
