#include "fmsb/nn/kernels/lane_fft.hpp"

#include "support/guarded.hpp"
#include "support/held_signal.hpp"
#include "support/levels.hpp"
#include "support/property.hpp"

#include <cmath>    // std::abs, std::sqrt, std::log2
#include <complex>  // std::complex, std::polar
#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <numbers>  // std::numbers::pi
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using nn::fft_direction;

namespace {

/// What a kernel does that transforms its data there, or back.
template <class Real, fft_direction Direction>
struct transform {
  template <int Lanes>
  FMSB_KERNEL void run(const nn::fft_plan<Real>* plan, Real* data, std::size_t columns) {
    nn::lane_fft<Lanes, Direction>(*plan, data, columns);
  }
};

template <class Real>
std::complex<double> number(const test::guarded<Real>& data, std::size_t at, std::size_t lanes,
                            std::size_t lane) {
  return {static_cast<double>(data[2 * at * lanes + lane]),
          static_cast<double>(data[(2 * at + 1) * lanes + lane])};
}

/// Against the sum that defines it, in every lane and column, and back again.
template <class Real>
void is_the_transform(std::size_t length, std::size_t columns) {
  const nn::fft_plan<Real> plan(length);
  for (const auto level : test::levels()) {
    const std::size_t lanes = nn::lanes_at<Real>(level);
    const test::guarded<Real> data(length * columns * 2 * lanes);
    for (Real& x : data) x = static_cast<Real>(test::drawn_number());
    const std::size_t column = *rc::gen::inRange<std::size_t>(0, columns),
                      lane = *rc::gen::inRange<std::size_t>(0, lanes);
    std::vector<std::complex<double>> before;
    double norm = 0;
    for (std::size_t t = 0; t < length; ++t) {
      before.push_back(number(data, t * columns + column, lanes, lane));
      norm += std::norm(before.back());
    }
    // Every stage rounds each number a few times: the error grows with the logarithm of the length.
    const double tolerance = 4 * std::numeric_limits<Real>::epsilon() *
                             (1 + std::log2(static_cast<double>(length))) * std::sqrt(norm);
    std::vector<std::complex<double>> roots;
    for (std::size_t t = 0; t < length; ++t)
      roots.push_back(
          std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(t) / static_cast<double>(length)));
    isa::run_at<transform<Real, fft_direction::forward>>(level, &plan, data.data(), columns);
    for (std::size_t place = 0; place < length; ++place) {
      const std::size_t f = plan.frequency(place);
      std::complex<double> sum = 0;
      for (std::size_t t = 0; t < length; ++t) sum += before[t] * roots[t * f % length];
      RC_ASSERT(std::abs(number(data, place * columns + column, lanes, lane) - sum) <= tolerance);
    }
    isa::run_at<transform<Real, fft_direction::inverse>>(level, &plan, data.data(), columns);
    const auto n = static_cast<double>(length);
    for (std::size_t t = 0; t < length; ++t)
      RC_ASSERT(std::abs(number(data, t * columns + column, lanes, lane) - n * before[t]) <= n * tolerance);
  }
}

}  // namespace

TEST_CASE(
    "lane transforms are the discrete Fourier transform, of every length without other factors than 2, 3, "
    "5") {
  CHECK(test::holds("short ones of several columns", [] {
    const auto length = nn::fft_length(*rc::gen::inRange<std::size_t>(1, 130));
    is_the_transform<float>(length, *rc::gen::inRange<std::size_t>(1, 4));
    is_the_transform<double>(length, 1);
  }));
  CHECK(test::holds("longer than the first cache",
                    [] { is_the_transform<float>(*rc::gen::element<std::size_t>(400, 576, 648), 1); }));
}

TEST_CASE("lane transforms: a frequency has one place, and the first is 0") {
  for (std::size_t least = 1; least < 400; ++least) {
    const std::size_t length = nn::fft_length(least);
    const nn::fft_plan<float> plan(length);
    std::vector<int> seen(length);
    for (std::size_t place = 0; place < length; ++place) ++seen.at(plan.frequency(place));
    CHECK(seen == std::vector<int>(length, 1));
    CHECK(plan.frequency(0) == 0);
  }
  static_assert(nn::fft_length(0) == 1 && nn::fft_length(7) == 8 && nn::fft_length(547) == 576);
}
