// expected-error: "a struct of hyper-parameters has members and all of them are distributions"
#include "fmsb/space/hyper_parameters.hpp"

namespace space = fmsb::space;

#ifdef FAILS
struct settings {
  space::uniform<0.0, 1.0> share;
  int width;
};
#else
struct settings {
  space::uniform<0.0, 1.0> share;
  space::uniform_integer<1, 64> width;
};
#endif
settings drawn(std::uint64_t seed) { return space::sample<settings>(seed, 0); }
