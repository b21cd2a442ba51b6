#pragma once
#include "fmsb/core/isa.hpp"                     // isa::call, isa::pack, FMSB_KERNEL
#include "fmsb/nn/kernels/pruned_transform.hpp"  // pruned_plan, detail::pruned_product

#include <cstddef>  // std::size_t
#include <cstring>  // std::memcpy, std::memset

/// Spectra of taps over one axis, for kernels, and taps from spectra. Without LibTorch.
namespace fmsb::nn::detail {

/// Some lanes of two rows of the taps' matrices, the same columns of each.
template <class T>
struct tap_rows {
  T* at[2];  ///< of the first tap; null: a row of zeros
  std::size_t lanes;
  std::size_t apart;  ///< from tap to tap
};

/// Two rows of matrices at all frequencies: [frequencies, 2 rows, re | im, lanes], frequencies `stride`
/// apart.
template <class Real, int Lanes>
struct pruned_rows {
  using vec = typename isa::pack<Lanes, Real>::type;
  using plan_type = pruned_plan<Real>;
  static constexpr std::size_t size = isa::pack<Lanes, Real>::size;

  /// @param scratch  `plan.scratch()` vectors
  FMSB_KERNEL void load(const plan_type& plan, const tap_rows<const Real>& taps, Real scale, Real* matrices,
                        std::size_t stride, Real* scratch) {
    isa::call<loading, Lanes>(&plan, &taps, scale, matrices, stride, scratch);
  }

  /// Taps whose spectra these are, where frequencies that are not their own opposites are given doubled.
  FMSB_KERNEL void store(const plan_type& plan, const Real* spectra, std::size_t stride, Real scale,
                         const tap_rows<Real>& taps, Real* scratch) {
    isa::call<storing, Lanes>(&plan, spectra, stride, scale, &taps, scratch);
  }

 private:
  FMSB_KERNEL vec& at(Real* numbers, std::size_t i) { return *reinterpret_cast<vec*>(numbers + i * size); }
  FMSB_KERNEL const vec& at(const Real* numbers, std::size_t i) {
    return *reinterpret_cast<const vec*>(numbers + i * size);
  }

  /// What a thread works in, two columns each.
  struct memory {
    Real *even, *odd;     ///< [depth, parts, columns]
    Real *cosine, *sine;  ///< [sums, parts, columns]

    memory(const plan_type& plan, Real* scratch)
        : even(scratch),
          odd(even + 4 * plan.depth() * size),
          cosine(odd + 4 * plan.depth() * size),
          sine(cosine + 4 * plan.sums() * size) {}
  };

  struct loading {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, const tap_rows<const Real>* taps, Real scale, Real* matrices,
                         std::size_t stride, Real* scratch) {
      const memory m(*plan, scratch);
      std::memset(scratch, 0, 8 * plan->depth() * size * sizeof(Real));
      for (std::size_t i = 0; i < plan->terms().size(); ++i) {
        const auto [place, sign] = plan->terms()[i];
        for (std::size_t c = 0; c < 2; ++c) {
          if (taps->at[c] == nullptr) continue;
          vec value{};
          std::memcpy(&value, taps->at[c] + i * taps->apart, taps->lanes * sizeof(Real));
          value *= scale;
          at(m.even, 2 * place + c) += value;
          at(m.odd, 2 * place + c) += static_cast<Real>(sign) * value;
        }
      }
      const std::size_t sums = plan->sums(), depth = plan->depth();
      isa::call<pruned_product<Real>, Lanes>(plan->cosines(), sums, depth, m.even, m.cosine);
      isa::call<pruned_product<Real>, Lanes>(plan->sines(), sums, depth, m.odd, m.sine);
      for (std::size_t k = 0; k < sums; ++k) {
        const std::size_t mirror = plan->mirror(k);
        for (std::size_t c = 0; c < 2; ++c) {
          const vec a = at(m.cosine, 4 * k + c), b = at(m.cosine, 4 * k + 2 + c), s = at(m.sine, 4 * k + c),
                    t = at(m.sine, 4 * k + 2 + c);
          Real* const to = matrices + k * stride;
          at(to, 2 * c) = a + b;
          at(to, 2 * c + 1) = s + t;
          if (mirror == k) continue;
          Real* const other = matrices + mirror * stride;
          at(other, 2 * c) = a - b;
          at(other, 2 * c + 1) = t - s;
        }
      }
    }
  };

  struct storing {
    template <int>
    FMSB_KERNEL void run(const plan_type* plan, const Real* spectra, std::size_t stride, Real scale,
                         const tap_rows<Real>* taps, Real* scratch) {
      const memory m(*plan, scratch);
      const std::size_t sums = plan->sums(), depth = plan->depth();
      for (std::size_t k = 0; k < sums; ++k) {
        const std::size_t mirror = plan->mirror(k);
        const Real *const from = spectra + k * stride, *const other = spectra + mirror * stride;
        for (std::size_t c = 0; c < 2; ++c) {
          const vec re = at(from, 2 * c), im = at(from, 2 * c + 1),
                    other_re = mirror == k ? vec{} : at(other, 2 * c),
                    other_im = mirror == k ? vec{} : at(other, 2 * c + 1);
          at(m.cosine, 4 * k + c) = re + other_re;
          at(m.cosine, 4 * k + 2 + c) = re - other_re;
          at(m.sine, 4 * k + c) = im - other_im;
          at(m.sine, 4 * k + 2 + c) = im + other_im;
        }
      }
      isa::call<pruned_product<Real>, Lanes>(plan->cosines_turned(), depth, sums, m.cosine, m.even);
      isa::call<pruned_product<Real>, Lanes>(plan->sines_turned(), depth, sums, m.sine, m.odd);
      for (std::size_t i = 0; i < plan->terms().size(); ++i) {
        const auto [place, sign] = plan->terms()[i];
        for (std::size_t c = 0; c < 2; ++c) {
          if (taps->at[c] == nullptr) continue;
          const vec value =
              scale * (at(m.even, 2 * place + c) + static_cast<Real>(sign) * at(m.odd, 2 * place + c));
          std::memcpy(taps->at[c] + i * taps->apart, &value, taps->lanes * sizeof(Real));
        }
      }
    }
  };
};

}  // namespace fmsb::nn::detail
