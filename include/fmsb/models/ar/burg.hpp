#pragma once
#include "fmsb/core/isa.hpp"              // isa::run
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/orders.hpp"      // order_path
#include "fmsb/models/ar/reflection.hpp"  // reflection_path

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <vector>   // std::vector

namespace fmsb::ar {

namespace detail {

struct burg_sums {
  double product = 0;  // sum f(t) b(t-1)
  double energy = 0;   // sum f(t)^2 + b(t-1)^2
};

/// One lattice stage in place, f' = f - k b and b' = b - k f, and the sums that the next stage needs of the
/// pairs f'[i+1], b'[i]. They are taken chunk by chunk, while the chunk lies in the first cache.
struct burg_stage_kernel {
  static constexpr std::size_t chunk = 512;

  template <int Lanes>
  FMSB_KERNEL void run(double* f, double* b, std::size_t count, double k, burg_sums* out) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    constexpr std::size_t lanes = Lanes;
    vec product[2] = {}, energy[2] = {};
    double product_rest = 0, energy_rest = 0;
    for (std::size_t first = 0; first < count; first += chunk) {
      const std::size_t last = count - first < chunk ? count : first + chunk;
      std::size_t i = first;
      for (; i + lanes <= last; i += lanes) {
        const vec u = *reinterpret_cast<const loose*>(f + i), v = *reinterpret_cast<const loose*>(b + i);
        *reinterpret_cast<loose*>(f + i) = u - k * v;
        *reinterpret_cast<loose*>(b + i) = v - k * u;
      }
      for (; i < last; ++i) {
        const double u = f[i], v = b[i];
        f[i] = u - k * v;
        b[i] = v - k * u;
      }
      i = first == 0 ? 0 : first - 1;
      for (; i + 2 * lanes < last; i += 2 * lanes)
        for (std::size_t j = 0; j < 2; ++j) {
          const vec u = *reinterpret_cast<const loose*>(f + i + 1 + j * lanes);
          const vec v = *reinterpret_cast<const loose*>(b + i + j * lanes);
          product[j] += u * v;
          energy[j] += u * u;
          energy[j] += v * v;
        }
      for (; i + 1 < last; ++i) {
        product_rest += f[i + 1] * b[i];
        energy_rest += f[i + 1] * f[i + 1] + b[i] * b[i];
      }
    }
    for (int l = 0; l < Lanes; ++l) {
      product_rest += product[0][l] + product[1][l];
      energy_rest += energy[0][l] + energy[1][l];
    }
    out->product += product_rest;
    out->energy += energy_rest;
  }
};

}  // namespace detail

/// Autoregressions of every order 0..max_order by Burg's method, pooled: each reflection coefficient is the
/// one that minimises the forward and backward errors of all channels and segments together. 10 x values x
/// max_order flops. Every order is stable.
///
/// These are other estimates than least squares, close to them for long series. In the path, `rss[k]` is the
/// innovation variance of order k times `samples`, the number of all values, so that the information criteria
/// apply. Source: Burg, Maximum entropy spectral analysis, Stanford 1975; pooled over segments as in
/// de Waele and Broersen, IEEE Trans. Signal Processing 48, 2000.
///
/// @param segments  differenced values without gaps
/// @param differencing  how often they were differenced, for the models
/// @param about  zero for models without intercept
/// @throws data_error when there is no value or one is not finite
inline order_path fit_burg(std::span<const data::series> segments, std::size_t max_order, int differencing,
                           centring about = centring::mean) {
  auto x = detail::centre(segments, about, "fit_burg");
  auto& forward = x.values;
  auto backward = x.values;
  double energy = 0;
  for (const auto& values : forward)
    for (double v : values) energy += v * v;
  detail::reflection_path path(max_order, x.mean, energy / x.count, x.count, differencing);

  double reflection = 0;  // the first pass only gathers sums
  for (std::size_t m = 0; m < max_order; ++m) {
    detail::burg_sums sums;
    for (std::size_t c = 0; c < forward.size(); ++c) {
      if (forward[c].size() < m + 2) continue;  // no pair is left
      isa::run<detail::burg_stage_kernel>(forward[c].data() + m, backward[c].data(), forward[c].size() - m,
                                          reflection, &sums);
    }
    reflection = sums.energy > 0 ? 2 * sums.product / sums.energy : 0;
    path.push(reflection);
    reflection = path.coefficients().back();
  }
  return path.take();
}

/// The same for one series.
inline order_path fit_burg(const data::series& y, std::size_t max_order, int differencing,
                           centring about = centring::mean) {
  return fit_burg(std::span(&y, 1), max_order, differencing, about);
}

}  // namespace fmsb::ar
