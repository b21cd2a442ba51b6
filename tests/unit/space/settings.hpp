#pragma once
#include "fmsb/space/distributions.hpp"  // log_uniform, choice, ...

namespace settings_for_tests {

/// One member of each kind.
struct settings {
  fmsb::space::log_uniform<1e-5, 0.5> lr;
  fmsb::space::choice<0.0, 0.05, 0.1> dropout;
  fmsb::space::log_uniform<5e-7, 5e-3> weight_decay;
  fmsb::space::uniform<0.9, 1.0> momentum;
  fmsb::space::uniform_integer<0, 499> seed;
  fmsb::space::choice<"cosine", "step"> schedule;
  fmsb::space::choice<true, false> nesterov;
};

}  // namespace settings_for_tests
