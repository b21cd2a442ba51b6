// expected-error: "the generator must give 64 random bits at a time"
#include "fmsb/core/random_bits.hpp"

#include <random>  // std::mt19937, std::mt19937_64

#ifdef FAILS
using generator = std::mt19937;
#else
using generator = std::mt19937_64;
#endif
double drawn(generator& bits) { return fmsb::unit_interval(bits); }
