#include "fmsb/models/wide_resnet_2d.hpp"  // wide_resnet_2d

#include "menu.hpp"
#include "spaces.hpp"
#include "typed.hpp"

namespace driver {

const family& images_16() {
  constexpr fmsb::models::wide_resnet_2d_options open{
      .in = fmsb::dynamic, .classes = fmsb::dynamic, .depth = 16};
  static const typed_family<fmsb::models::wide_resnet_2d<open>, images_space> one;
  return one;
}

}  // namespace driver
