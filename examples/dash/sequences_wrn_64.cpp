#include "fmsb/models/wide_resnet_1d.hpp"  // wide_resnet_1d

#include "menu.hpp"
#include "spaces.hpp"
#include "typed.hpp"

namespace driver {

const family& sequences_wrn_64() {
  constexpr fmsb::models::wide_resnet_1d_options open{
      .in = fmsb::dynamic, .classes = fmsb::dynamic, .width = 64};
  static const typed_family<fmsb::models::wide_resnet_1d<open>, genomics_space> one;
  return one;
}

}  // namespace driver
