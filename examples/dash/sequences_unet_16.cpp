#include "fmsb/models/unet_1d.hpp"  // unet_1d

#include "menu.hpp"
#include "spaces.hpp"
#include "typed.hpp"

namespace driver {

const family& sequences_unet_16() {
  constexpr fmsb::models::unet_1d_options open{
      .in = fmsb::dynamic, .classes = fmsb::dynamic, .width = 16, .segments = 4};  // segments as of wrn
  static const typed_family<fmsb::models::unet_1d<open>, genomics_space> one;
  return one;
}

}  // namespace driver
