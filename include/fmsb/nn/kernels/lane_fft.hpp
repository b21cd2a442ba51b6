#pragma once
#include "fmsb/core/isa.hpp"  // isa::call, isa::pack, FMSB_KERNEL, FMSB_UNROLL

#include <bit>      // std::countr_zero
#include <cmath>    // std::cos, std::sin
#include <cstddef>  // std::size_t
#include <numbers>  // std::numbers::pi
#include <vector>   // std::vector

/// Discrete Fourier transforms of many sequences at once, a sequence a lane: every step is the same
/// arithmetic on whole vectors, whatever the length. They work in place and leave the spectrum in the order
/// in which its numbers come out; a convolution needs no other. Without LibTorch.
namespace fmsb::nn {

/// The least length from `least` on that has no prime factor above 5.
constexpr std::size_t fft_length(std::size_t least) {
  for (std::size_t n = least < 1 ? 1 : least;; ++n) {
    std::size_t rest = n;
    for (const std::size_t factor : {2u, 3u, 5u})
      while (rest % factor == 0) rest /= factor;
    if (rest == 1) return n;
  }
}

/// How a transform of one length is taken apart, and the roots of unity that it needs.
/// Source: decimation in frequency (Gentleman and Sande, 1966) there, in time (Cooley and Tukey, 1965) back.
template <class Real>
class fft_plan {
 public:
  struct stage {
    std::size_t radix, length;  ///< a block of `length` becomes `radix` blocks
    std::size_t turns;          ///< where its roots begin, [length / radix, radix - 1, re | im]
  };

  /// @param length  as `fft_length` gives
  explicit fft_plan(std::size_t length) : length_(length) {
    std::size_t rest = length;
    // Fours last: the blocks of the last stage are turned by nothing.
    for (const std::size_t radix : {5u, 3u})
      for (; rest % radix == 0; rest /= radix) add_stage(radix, rest);
    if (std::countr_zero(rest) % 2 != 0) {
      add_stage(2, rest);
      rest /= 2;
    }
    for (; rest > 1; rest /= 4) add_stage(4, rest);
  }

  std::size_t length() const { return length_; }
  const std::vector<stage>& stages() const { return stages_; }
  const Real* turns() const { return turns_.data(); }

  /// Which frequency, below the length, stands in a place of a spectrum. In place 0 it is 0.
  std::size_t frequency(std::size_t place) const {
    std::size_t found = 0, step = 1;
    for (const auto& s : stages_) {
      const std::size_t block = s.length / s.radix;
      found += step * (place / block);
      place %= block;
      step *= s.radix;
    }
    return found;
  }

 private:
  void add_stage(std::size_t radix, std::size_t block) {
    stages_.push_back({radix, block, turns_.size()});
    for (std::size_t j = 0; j < block / radix; ++j)
      for (std::size_t p = 1; p < radix; ++p) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(j * p) / static_cast<double>(block);
        turns_.push_back(static_cast<Real>(std::cos(angle)));
        turns_.push_back(static_cast<Real>(-std::sin(angle)));
      }
  }

  std::size_t length_;
  std::vector<stage> stages_;
  std::vector<Real> turns_;
};

/// There, or back: the latter undoes the former times the length.
enum class fft_direction { forward, inverse };

namespace detail {

template <class Real, fft_direction Direction>
struct lane_fft_kernel {
  static constexpr bool back = Direction == fft_direction::inverse;

  /// Transforms data [length, columns, re | im, lanes] along its first axis, from stage `first` on, which the
  /// data is a block of. Large blocks are transformed one after the other, down to what the first cache
  /// holds.
  template <int Lanes>
  FMSB_KERNEL void run(const fft_plan<Real>* plan, Real* data, std::size_t columns, std::size_t first) {
    constexpr std::size_t size = isa::pack<Lanes, Real>::size, kCached = 24 * 1024;
    const auto& stages = plan->stages();
    if (first == stages.size()) return;
    const auto& whole = stages[first];
    const bool apart = whole.length * columns * 2 * size * sizeof(Real) > kCached;
    const std::size_t end = apart ? first + 1 : stages.size();
    const auto each_block = [&] {
      const std::size_t part = whole.length / whole.radix * columns * 2 * size;
      for (std::size_t p = 0; p < whole.radix; ++p)
        isa::call<lane_fft_kernel, Lanes>(plan, data + p * part, columns, first + 1);
    };
    if (back && apart) each_block();
    for (std::size_t i = 0; i < end - first; ++i) {
      const auto& stage = stages[back ? end - 1 - i : first + i];
      const Real* const turns = plan->turns() + stage.turns;
      const std::size_t blocks = whole.length / stage.length;
      switch (stage.radix) {
        case 2:
          pass<Lanes, 2>(data, blocks, stage.length, columns, turns);
          break;
        case 3:
          pass<Lanes, 3>(data, blocks, stage.length, columns, turns);
          break;
        case 4:
          pass<Lanes, 4>(data, blocks, stage.length, columns, turns);
          break;
        default:
          pass<Lanes, 5>(data, blocks, stage.length, columns, turns);
      }
    }
    if (!back && apart) each_block();
  }

 private:
  template <int Lanes, std::size_t Radix>
  FMSB_KERNEL void pass(Real* data, std::size_t blocks, std::size_t length, std::size_t columns,
                        const Real* turns) {
    constexpr std::size_t size = isa::pack<Lanes, Real>::size;
    const std::size_t row = columns * 2 * size, apart = length / Radix * row;
    for (std::size_t b = 0; b < blocks; ++b, data += Radix * apart) {
      for (std::size_t c = 0; c < row; c += 2 * size) butterfly<Lanes, Radix, false>(data + c, apart, turns);
      for (std::size_t j = 1; j < length / Radix; ++j)
        for (std::size_t c = 0; c < row; c += 2 * size)
          butterfly<Lanes, Radix, true>(data + j * row + c, apart, turns + 2 * (Radix - 1) * j);
    }
  }

  template <int Lanes, std::size_t Radix, bool Turned>
  FMSB_KERNEL void butterfly(Real* at, std::size_t apart, const Real* turns) {
    using vec = typename isa::pack<Lanes, Real>::type;
    constexpr std::size_t size = isa::pack<Lanes, Real>::size;
    vec re[Radix], im[Radix];
    FMSB_UNROLL
    for (std::size_t q = 0; q < Radix; ++q) {
      re[q] = *reinterpret_cast<const vec*>(at + q * apart);
      im[q] = *reinterpret_cast<const vec*>(at + q * apart + size);
      if constexpr (Turned && back)
        if (q > 0) turn(re[q], im[q], turns[2 * q - 2], -turns[2 * q - 1]);
    }
    transform(re, im);
    FMSB_UNROLL
    for (std::size_t q = 0; q < Radix; ++q) {
      const std::size_t from = back ? (Radix - q) % Radix : q;
      if constexpr (Turned && !back)
        if (q > 0) turn(re[from], im[from], turns[2 * q - 2], turns[2 * q - 1]);
      *reinterpret_cast<vec*>(at + q * apart) = re[from];
      *reinterpret_cast<vec*>(at + q * apart + size) = im[from];
    }
  }

  template <class Vec>
  FMSB_KERNEL void turn(Vec& re, Vec& im, Real by_re, Real by_im) {
    const Vec other = re * by_im + im * by_re;
    re = re * by_re - im * by_im;
    im = other;
  }

  // Transforms of 2 to 5 numbers, there; the way back is the same with its results in the other order.

  template <class Vec>
  FMSB_KERNEL void transform(Vec (&re)[2], Vec (&im)[2]) {
    const Vec r = re[0] - re[1], i = im[0] - im[1];
    re[0] += re[1];
    im[0] += im[1];
    re[1] = r;
    im[1] = i;
  }

  template <class Vec>
  FMSB_KERNEL void transform(Vec (&re)[3], Vec (&im)[3]) {
    constexpr auto half = Real{0.5}, sine = static_cast<Real>(0.86602540378443864676);
    const Vec sum_re = re[1] + re[2], sum_im = im[1] + im[2], turned_re = (im[1] - im[2]) * sine,
              turned_im = (re[1] - re[2]) * sine, middle_re = re[0] - sum_re * half,
              middle_im = im[0] - sum_im * half;
    re[0] += sum_re;
    im[0] += sum_im;
    re[1] = middle_re + turned_re;
    im[1] = middle_im - turned_im;
    re[2] = middle_re - turned_re;
    im[2] = middle_im + turned_im;
  }

  template <class Vec>
  FMSB_KERNEL void transform(Vec (&re)[4], Vec (&im)[4]) {
    const Vec a_re = re[0] + re[2], a_im = im[0] + im[2], b_re = re[0] - re[2], b_im = im[0] - im[2],
              c_re = re[1] + re[3], c_im = im[1] + im[3], d_re = re[1] - re[3], d_im = im[1] - im[3];
    re[0] = a_re + c_re;
    im[0] = a_im + c_im;
    re[1] = b_re + d_im;
    im[1] = b_im - d_re;
    re[2] = a_re - c_re;
    im[2] = a_im - c_im;
    re[3] = b_re - d_im;
    im[3] = b_im + d_re;
  }

  template <class Vec>
  FMSB_KERNEL void transform(Vec (&re)[5], Vec (&im)[5]) {
    constexpr auto c1 = static_cast<Real>(0.30901699437494742410),
                   c2 = static_cast<Real>(-0.80901699437494742410),
                   s1 = static_cast<Real>(0.95105651629515357212),
                   s2 = static_cast<Real>(0.58778525229247312917);
    const Vec near_re = re[1] + re[4], near_im = im[1] + im[4], far_re = re[2] + re[3],
              far_im = im[2] + im[3], dn_re = re[1] - re[4], dn_im = im[1] - im[4], df_re = re[2] - re[3],
              df_im = im[2] - im[3];
    const Vec m1_re = re[0] + near_re * c1 + far_re * c2, m1_im = im[0] + near_im * c1 + far_im * c2,
              m2_re = re[0] + near_re * c2 + far_re * c1, m2_im = im[0] + near_im * c2 + far_im * c1,
              u1_re = dn_im * s1 + df_im * s2, u1_im = dn_re * s1 + df_re * s2,
              u2_re = dn_im * s2 - df_im * s1, u2_im = dn_re * s2 - df_re * s1;
    re[0] += near_re + far_re;
    im[0] += near_im + far_im;
    re[1] = m1_re + u1_re;
    im[1] = m1_im - u1_im;
    re[2] = m2_re + u2_re;
    im[2] = m2_im - u2_im;
    re[3] = m2_re - u2_re;
    im[3] = m2_im + u2_im;
    re[4] = m1_re - u1_re;
    im[4] = m1_im + u1_im;
  }
};

}  // namespace detail

/// From a kernel of this width: transforms data [length, columns, re | im, lanes] along its first axis. The
/// spectrum stands in the order of `fft_plan::frequency`. The data starts at a cache line.
template <int Lanes, fft_direction Direction, class Real>
void lane_fft(const fft_plan<Real>& plan, Real* data, std::size_t columns = 1) {
  isa::call<detail::lane_fft_kernel<Real, Direction>, Lanes>(&plan, data, columns, std::size_t{0});
}

}  // namespace fmsb::nn
