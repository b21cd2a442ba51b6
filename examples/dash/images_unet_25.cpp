#include "fmsb/models/unet_2d.hpp"  // unet_2d_small

#include "menu.hpp"
#include "spaces.hpp"
#include "typed.hpp"

namespace driver {

const family& images_unet_25() {
  constexpr fmsb::models::unet_2d_options open{.in = fmsb::dynamic, .classes = fmsb::dynamic};
  static const typed_family<fmsb::models::unet_2d_small<open>, small_space> one;
  return one;
}

}  // namespace driver
