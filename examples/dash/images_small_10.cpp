#include "fmsb/models/wide_resnet_2d.hpp"  // wide_resnet_2d

#include "menu.hpp"
#include "spaces.hpp"
#include "typed.hpp"

namespace driver {

const family& images_small_10() {
  constexpr fmsb::models::wide_resnet_2d_options open{
      .in = fmsb::dynamic, .classes = fmsb::dynamic, .depth = 10};
  static const typed_family<fmsb::models::wide_resnet_2d<open>, small_space> one;
  return one;
}

}  // namespace driver
