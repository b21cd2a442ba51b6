// The kernels of one search space's depthwise mixture: two passes, two instruction sets of straight code.
#include "fmsb/nn/kernels/depthwise_taps.hpp"

#include "fmsb/space/conv_space.hpp"
#include "fmsb/space/product.hpp"

using namespace fmsb;

namespace {
constexpr auto offsets =
    space::taps<space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>>;
}

void pass(const nn::depthwise_task<float>& task) {
  nn::depthwise_forward<offsets>(task, 0, 1);
  nn::depthwise_backward<offsets>(task, 0, 1);
}
