#pragma once
#include "fmsb/space/conv_space.hpp"  // kernel_sizes, dilations
#include "fmsb/space/product.hpp"     // product

/// What can be searched. Each is compiled with the backbones that menu.cpp names.
namespace driver {

using genomics_space =
    fmsb::space::product<fmsb::space::kernel_sizes<3, 5, 7, 9, 11>, fmsb::space::dilations<1, 3, 5, 7>>;
using images_space =
    fmsb::space::product<fmsb::space::kernel_sizes<3, 5, 7, 9>, fmsb::space::dilations<1, 3, 7, 15>>;
using small_space = fmsb::space::product<fmsb::space::kernel_sizes<3, 5, 7>, fmsb::space::dilations<1, 3>>;

}  // namespace driver
