// Spectra of a few taps, and taps of spectra, against the sums that define them.
#include "fmsb/nn/kernels/pruned_transform.hpp"

#include "fmsb/nn/kernels/pruned_rows.hpp"

#include "support/guarded.hpp"
#include "support/held_signal.hpp"
#include "support/levels.hpp"
#include "support/property.hpp"

#include <cmath>    // std::abs, std::sqrt
#include <complex>  // std::complex, std::polar
#include <cstddef>  // std::size_t
#include <limits>   // std::numeric_limits
#include <numbers>  // std::numbers::pi
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

template <class Real>
struct load_rows {
  template <int Lanes>
  FMSB_KERNEL void run(const nn::pruned_plan<Real>* plan, const nn::detail::tap_rows<const Real>* taps,
                       Real scale, Real* spectra, std::size_t stride, Real* scratch) {
    nn::detail::pruned_rows<Real, Lanes>::load(*plan, *taps, scale, spectra, stride, scratch);
  }
};

template <class Real>
struct store_rows {
  template <int Lanes>
  FMSB_KERNEL void run(const nn::pruned_plan<Real>* plan, const Real* spectra, std::size_t stride, Real scale,
                       const nn::detail::tap_rows<Real>* taps, Real* scratch) {
    nn::detail::pruned_rows<Real, Lanes>::store(*plan, spectra, stride, scale, *taps, scratch);
  }
};

/// exp(2 pi i frequency offset / length)
std::complex<double> wave(std::size_t frequency, int offset, std::size_t length) {
  return std::polar(
      1.0, 2 * std::numbers::pi * static_cast<double>(frequency) * offset / static_cast<double>(length));
}

template <class Real>
void is_the_transform() {
  const auto length = *rc::gen::inRange<std::size_t>(1, 60);
  const auto chosen = *rc::gen::unique<std::vector<int>>(rc::gen::inRange(-9, 10));
  const std::vector<int> offsets = chosen.empty() ? std::vector{0} : chosen;
  const nn::pruned_plan<Real> plan(length, offsets);
  const Real scale = static_cast<Real>(test::drawn_number());
  for (const auto level : test::levels()) {
    const std::size_t lanes = nn::lanes_at<Real>(level), used = *rc::gen::inRange<std::size_t>(1, lanes + 1),
                      stride = 4 * lanes + *rc::gen::inRange<std::size_t>(0, 2) * lanes,
                      many = plan.frequencies();
    const bool two = *rc::gen::arbitrary<bool>();
    // [offsets, 2 rows, lanes], the last tap's lanes up to the end of the memory
    const test::guarded<Real> taps((2 * offsets.size() - 1) * lanes + used),
        gradient((2 * offsets.size() - 1) * lanes + used, Real{7}), spectra(many * stride, Real{5}),
        scratch(plan.scratch() * lanes, Real{5});
    for (Real& x : taps) x = static_cast<Real>(test::drawn_number());
    Real* const first = taps.data();
    const nn::detail::tap_rows<const Real> from{
        .at = {first, two ? first + lanes : nullptr}, .lanes = used, .apart = 2 * lanes};
    isa::run_at<load_rows<Real>>(level, &plan, &from, scale, spectra.data(), stride, scratch.data());

    const std::size_t row = *rc::gen::inRange<std::size_t>(0, 2),
                      lane = *rc::gen::inRange<std::size_t>(0, used);
    const auto tolerance = 8 * static_cast<double>(std::numeric_limits<Real>::epsilon()) *
                           std::sqrt(static_cast<double>(offsets.size() + many));
    for (std::size_t k = 0; k < many; ++k) {
      std::complex<double> wanted = 0;
      for (std::size_t i = 0; i < offsets.size() && (row == 0 || two); ++i)
        wanted += static_cast<double>(scale) * static_cast<double>(taps[(2 * i + row) * lanes + lane]) *
                  wave(k, offsets[i], length);
      const std::complex<double> found{
          static_cast<double>(spectra[k * stride + 2 * row * lanes + lane]),
          static_cast<double>(spectra[k * stride + (2 * row + 1) * lanes + lane])};
      RC_ASSERT(std::abs(found - wanted) <= 4 * tolerance);
    }

    const nn::detail::tap_rows<Real> into{
        .at = {gradient.data(), two ? gradient.data() + lanes : nullptr}, .lanes = used, .apart = 2 * lanes};
    for (Real& x : spectra) x = static_cast<Real>(test::drawn_number());
    isa::run_at<store_rows<Real>>(level, &plan, static_cast<const Real*>(spectra.data()), stride, scale,
                                  &into, scratch.data());
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      double wanted = 0;
      for (std::size_t k = 0; k < many; ++k) {
        const std::complex<double> given{
            static_cast<double>(spectra[k * stride + 2 * row * lanes + lane]),
            static_cast<double>(spectra[k * stride + (2 * row + 1) * lanes + lane])};
        wanted += static_cast<double>(scale) * (std::conj(given) * wave(k, offsets[i], length)).real();
      }
      const auto found = static_cast<double>(gradient[(2 * i + row) * lanes + lane]);
      if (row == 0 || two)
        RC_ASSERT(std::abs(found - wanted) <= 4 * tolerance);
      else if (i + 1 < offsets.size())
        RC_ASSERT(found == 7);  // a row that is not there is not written
    }
  }
}

}  // namespace

TEST_CASE("pruned transforms are the sums that define them, at every level, and write what is theirs") {
  CHECK(test::holds("float", [] { is_the_transform<float>(); }));
  CHECK(test::holds("double", [] { is_the_transform<double>(); }));
}
