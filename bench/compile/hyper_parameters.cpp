// A struct of sixteen hyper-parameters: reflected, drawn and printed.
#include "fmsb/space/hyper_parameters.hpp"

namespace space = fmsb::space;

struct settings {
  space::log_uniform<1e-5, 0.5> lr;
  space::log_uniform<5e-7, 5e-3> weight_decay;
  space::choice<0.0, 0.05, 0.1> dropout;
  space::uniform<0.9, 1.0> momentum;
  space::uniform_integer<0, 499> seed;
  space::log_uniform_integer<8, 1024> width;
  space::choice<16, 32, 64> batch;
  space::choice<"cosine", "step"> schedule;
  space::choice<true, false> nesterov;
  space::normal<0.0, 1.0> shift;
  space::uniform<0.0, 1.0> a;
  space::uniform<0.0, 2.0> b;
  space::uniform<0.0, 3.0> c;
  space::uniform<0.0, 4.0> d;
  space::uniform<0.0, 5.0> e;
  space::uniform<0.0, 6.0> f;
};

settings drawn(std::uint64_t seed, std::uint64_t trial) { return space::sample<settings>(seed, trial); }
std::string printed(const settings& of) { return space::to_string(of) + space::description<settings>(); }
