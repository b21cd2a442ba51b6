// Structs of hyper-parameters: what counts as one, and draws that are the same under every compiler.
#include "fmsb/space/hyper_parameters.hpp"

#include <array>        // std::array
#include <string_view>  // std::string_view

namespace {

using namespace fmsb;
using namespace fmsb::space;

struct settings {
  log_uniform<1e-5, 0.5> lr;
  choice<0.0, 0.05, 0.1> dropout;
  uniform<0.9, 1.0> momentum;
  uniform_integer<0, 499> seed;
  log_uniform_integer<8, 1024> width;
  normal<0.0, 2.0> shift;
  choice<"cosine", "step"> schedule;
  choice<true, false> nesterov;
};
struct with_a_number {
  uniform<0.0, 1.0> a;
  int b;
};
struct number_first {
  int a;
  uniform<0.0, 1.0> b;
};
struct empty {};
struct one {
  uniform<0.0, 1.0> only;
};

static_assert(hyper_parameters<settings> && hyper_parameters<one>);
static_assert(!hyper_parameters<with_a_number> && !hyper_parameters<number_first> &&
              !hyper_parameters<empty>);
static_assert(!hyper_parameters<int> && !hyper_parameters<std::array<uniform<0.0, 1.0>, 2>>);
static_assert(member_count<settings> == 8 && member_count<one> == 1);

// names and order are the declaration's
static_assert([] {
  constexpr std::array<std::string_view, 8> names{"lr",    "dropout", "momentum", "seed",
                                                  "width", "shift",   "schedule", "nesterov"};
  std::size_t i = 0;
  bool same = true;
  for_each_member(space::detail::specimen<settings>,
                  [&](std::string_view name, const auto&) { same = same && name == names[i++]; });
  return same && i == names.size();
}());

// quantiles run from one end of the support to the other, never leave it and never fall
template <class Distribution>
consteval bool quantiles_ascend() {
  auto before = Distribution::quantile(0x1p-53);
  for (int i = 0; i <= 200; ++i) {
    const auto now = Distribution::quantile((i + 0.5) / 201);
    if (!Distribution::contains(now) || now < before) return false;
    before = now;
  }
  return Distribution::contains(Distribution::quantile(0x1p-53)) &&
         Distribution::contains(Distribution::quantile(1 - 0x1p-53));
}
static_assert(quantiles_ascend<log_uniform<1e-5, 0.5>>() && quantiles_ascend<uniform<-3.0, 1e9>>());
static_assert(quantiles_ascend<uniform_integer<-5, 17>>() && quantiles_ascend<uniform_integer<-5, 17, 4>>());
static_assert(quantiles_ascend<log_uniform_integer<1, 1000000>>() && quantiles_ascend<normal<1.0, 0.5>>());
static_assert(quantiles_ascend<choice<1, 2, 5>>());
static_assert(uniform_integer<-5, 17, 4>::quantile(0x1p-53) == -5 &&
              uniform_integer<-5, 17, 4>::quantile(1 - 0x1p-53) == 15);
static_assert(log_uniform_integer<8, 1024>::quantile(0x1p-53) == 8 &&
              log_uniform_integer<8, 1024>::quantile(1 - 0x1p-53) == 1024);

// an object starts at the typical value and reads as it
static_assert(one{}.only == 0.5 && choice<"cosine", "step">{} == "cosine" && normal<3.0, 1.0>{} == 3.0);
static_assert(choice<16, 32>{32} == 32 && choice<"a", "b">{"b"}.value() == "b");

// drawn values, stored in studies: they never change
constexpr settings drawn = sample<settings>(7, 3);
static_assert(drawn.lr == 0x1.fa5fb8a5974cap-14);
static_assert(drawn.dropout == 0.05);
static_assert(drawn.momentum == 0x1.df577685c2c84p-1);
static_assert(drawn.seed == 50);
static_assert(drawn.width == 20);
static_assert(drawn.shift == -0x1.e50bc1c208b11p-4);
static_assert(drawn.schedule == "cosine");
static_assert(drawn.nesterov == false);
static_assert(same_values(drawn, sample<settings>(7, 3)) && !same_values(drawn, sample<settings>(7, 4)));

}  // namespace
