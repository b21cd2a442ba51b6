#include "fmsb/train/schedule.hpp"

#include "support/property.hpp"

#include <cmath>    // std::cos, std::pow
#include <cstdint>  // std::uint64_t
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb::train;
using fmsb::test::holds;

namespace {

/// The formulas of transformers/optimization.py, written as they stand there.
double linear_there(double step, double warm_up, double total) {
  if (step < warm_up) return step / std::max(1.0, warm_up);
  return std::max(0.0, (total - step) / std::max(1.0, total - warm_up));
}
double cosine_there(double step, double warm_up, double total) {
  if (step < warm_up) return step / std::max(1.0, warm_up);
  const double progress = (step - warm_up) / std::max(1.0, total - warm_up);
  return std::max(0.0, 0.5 * (1 + std::cos(3.14159265358979323846 * 0.5 * 2 * progress)));
}

std::uint64_t drawn(std::uint64_t from, std::uint64_t to) { return *rc::gen::inRange(from, to); }

bool near(double a, double b) { return std::abs(a - b) <= 1e-14; }  // a few roundings of numbers up to 1

}  // namespace

TEST_CASE("linear and cosine rates are those of transformers at every step within the training") {
  CHECK(holds("their formulas", [] {
    const auto total = drawn(1, 3000), warm_up = drawn(0, total), step = drawn(0, total);
    const auto s = static_cast<double>(step), w = static_cast<double>(warm_up),
               n = static_cast<double>(total);
    RC_ASSERT(near(schedule(linear_rate{.warm_up = warm_up})(step, total), linear_there(s, w, n)));
    RC_ASSERT(near(schedule(cosine_rate{.warm_up = warm_up})(step, total), cosine_there(s, w, n)));
    const double constant = step < warm_up ? s / w : 1;
    RC_ASSERT(schedule(constant_rate{.warm_up = warm_up})(step, total) == constant);
  }));
}

TEST_CASE("rates begin at 1, fall and end at 0, and stay there") {
  const schedule linear = linear_rate{}, cosine = cosine_rate{};
  for (const auto* rate : {&linear, &cosine}) {
    CHECK((*rate)(0, 100) == 1);
    CHECK((*rate)(50, 100) == doctest::Approx(0.5).epsilon(1e-12));
    for (std::uint64_t s = 1; s <= 100; ++s) CHECK((*rate)(s, 100) < (*rate)(s - 1, 100));
    CHECK((*rate)(100, 100) == 0);
    CHECK((*rate)(170, 100) == 0);
  }
}

TEST_CASE("a warm-up rises from 0 in a line and meets the schedule at 1") {
  for (const schedule& rate : {schedule(constant_rate{.warm_up = 4}), schedule(linear_rate{.warm_up = 4}),
                               schedule(cosine_rate{.warm_up = 4}), schedule(stepped_rate{.warm_up = 4})}) {
    for (std::uint64_t s = 0; s <= 4; ++s) CHECK(rate(s, 50) == static_cast<double>(s) / 4);
  }
  CHECK(schedule(linear_rate{.warm_up = 9})(9, 9) == 0);  // nothing is left after it
}

TEST_CASE("a stepped rate is gamma to the power of the milestones passed") {
  const schedule rate = stepped_rate{.milestones = {3, 7, 7}, .gamma = 0.5};
  for (std::uint64_t s = 0; s < 12; ++s) CHECK(rate(s, 12) == (s < 3 ? 1 : s < 7 ? 0.5 : 0.125));
  CHECK_THROWS_WITH(
      schedule(stepped_rate{.milestones = {7, 3}}),
      "fmsb::train::stepped_rate: the milestones of stepped(milestones=7+3, gamma=0.1) do not rise; give "
      "the steps at which the rate falls from the first to the last.");
}

TEST_CASE("a schedule says every number that it follows from") {
  CHECK(schedule().describe() == "constant()");
  CHECK(schedule(linear_rate{.warm_up = 10}).describe() == "linear(warm_up=10)");
  CHECK(schedule(cosine_rate{}).describe() == "cosine()");
  CHECK(schedule(stepped_rate{.milestones = {3, 7}, .gamma = 0.2, .warm_up = 1}).describe() ==
        "stepped(milestones=3+7, gamma=0.2, warm_up=1)");
}

TEST_CASE("a shape of one's own is a schedule") {
  struct saw {
    double operator()(std::uint64_t step, std::uint64_t) const { return step % 2 == 0 ? 1 : 0.5; }
    std::string describe() const { return "saw"; }
  };
  const schedule rate = saw{};
  CHECK(rate(4, 9) == 1);
  CHECK(rate(5, 9) == 0.5);
  CHECK(rate.describe() == "saw");
}
