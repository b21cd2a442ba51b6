#include "fmsb/space/hyper_parameters.hpp"

#include "support/property.hpp"
#include "unit/space/settings.hpp"

#include <boost/hana/adapt_struct.hpp>  // BOOST_HANA_ADAPT_STRUCT
#include <boost/hana/keys.hpp>          // hana::keys
#include <boost/hana/length.hpp>        // hana::length

#include <array>   // std::array
#include <random>  // std::mt19937_64
#include <string>  // std::string

#include "support/doctest.hpp"

using settings_for_tests::settings;
namespace space = fmsb::space;

/// Not a plain struct of distributions, for it holds a number too.
struct adapted {
  int version = 1;
  space::log_uniform<1e-5, 0.5> lr;
  space::uniform<0.9, 1.0> momentum;
};
BOOST_HANA_ADAPT_STRUCT(adapted, lr, momentum);

TEST_CASE("the same seed draws the same values, to the bit, whatever compiled it") {
  std::mt19937_64 bits(42);
  CHECK(space::to_string(space::sample<settings>(bits)) ==
        "{lr = 0.03535519182860108, dropout = 0.05, weight_decay = 0.0005099772554044642, momentum = "
        "0.9136272683632437, seed = 451, schedule = cosine, nesterov = false}");
  CHECK(space::to_string(space::sample<settings>(42, 0)) ==
        "{lr = 8.933985903364579e-05, dropout = 0.1, weight_decay = 5.980210433632874e-06, momentum = "
        "0.9477767703504604, seed = 86, schedule = step, nesterov = false}");
  CHECK(space::to_string(space::sample<settings>(42, 1)) ==
        "{lr = 0.0002304893323259586, dropout = 0.1, weight_decay = 5.688955691305951e-07, momentum = "
        "0.9321131249677638, seed = 98, schedule = step, nesterov = true}");
}

TEST_CASE("drawing at run time and at compile time is the same") {
  constexpr settings constant = space::sample<settings>(5, 17);
  volatile std::uint64_t seed = 5, trial = 17;
  CHECK(space::same_values(space::sample<settings>(seed, trial), constant));
}

TEST_CASE("a trial's values depend on nothing but seed and trial") {
  CHECK(fmsb::test::holds("sample(seed, trial) repeats, and another trial differs",
                          [](std::uint64_t seed, std::uint64_t trial) {
                            const auto drawn = space::sample<settings>(seed, trial);
                            RC_ASSERT(space::same_values(drawn, space::sample<settings>(seed, trial)));
                            RC_ASSERT(!space::same_values(drawn, space::sample<settings>(seed, trial + 1)));
                          }));
}

TEST_CASE("values at quantiles are those of each member") {
  const auto middle = space::at_quantiles<settings>({0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
  CHECK(middle.lr == settings{}.lr);
  CHECK(middle.dropout == 0.05);
  CHECK(middle.seed == 250);
  CHECK(middle.schedule == "step");
}

TEST_CASE("members read as their values and print by name") {
  settings s;
  s.lr = 0.1;
  s.weight_decay = 1e-4;
  s.schedule = "step";
  const double rate = s.lr;
  CHECK(rate == 0.1);
  CHECK(space::to_string(s) ==
        "{lr = 0.1, dropout = 0, weight_decay = 1e-04, momentum = 0.95, seed = 250, schedule = step, "
        "nesterov = true}");
  CHECK(
      space::description<settings>() ==
      "{lr: log_uniform(1e-05, 0.5), dropout: choice(0, 0.05, 0.1), weight_decay: log_uniform(5e-07, 0.005), "
      "momentum: uniform(0.9, 1), seed: uniform_integer(0, 499), schedule: choice(cosine, step), nesterov: "
      "choice(true, false)}");
  CHECK(space::description_hash<settings>() == fmsb::hash_of(space::description<settings>()));
}

TEST_CASE("a struct of hyper-parameters is a Hana struct, and an adapted one joins") {
  CHECK(decltype(boost::hana::length(boost::hana::keys(settings{})))::value == 7);
  static_assert(space::hyper_parameters<adapted> && space::member_count<adapted> == 2);
  adapted some;
  some.lr = 0.25;
  CHECK(space::to_string(some) == "{lr = 0.25, momentum = 0.95}");
}

TEST_CASE("a struct may be local to a function") {
  struct local {
    space::uniform<0.0, 1.0> first_member, second;
  };
  CHECK(space::to_string(local{}) == "{first_member = 0.5, second = 0.5}");
}
