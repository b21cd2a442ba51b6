#pragma once
#include "fmsb/core/extent.hpp"             // index_t
#include "fmsb/nn/kernels/random_keep.hpp"  // draw_kept
#include "fmsb/nn/parallel_for.hpp"         // parallel_for
#include "fmsb/nn/torch.hpp"                // tensor

#include <ATen/CPUGeneratorImpl.h>  // at::CPUGeneratorImpl
#include <ATen/Context.h>           // at::globalContext
#include <ATen/ops/dropout.h>       // at::dropout

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <mutex>    // std::lock_guard

namespace fmsb::nn {

/// Each number of x zero with probability `rate`, else divided by 1 - rate (Srivastava et al., "Dropout",
/// JMLR 15, 2014). Draws from LibTorch's generator: in float on the CPU one number, the seed of a choice that
/// depends on the place alone, whatever the number of threads; elsewhere as LibTorch does, one number for
/// each of x, which on many processors takes as long as a small product.
///
/// @param rate  from 0 up to, but not including, 1
inline tensor dropped(const tensor& x, double rate) {
  if (rate == 0) return x;
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat) return at::dropout(x, rate, /*train=*/true);
  std::uint64_t seed = 0;
  {
    auto generator = at::globalContext().defaultGenerator(at::kCPU);
    const std::lock_guard lock(generator.mutex());
    seed = at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
  }
  const auto keep = at::empty(x.sizes(), x.options().requires_grad(false));
  auto* const out = keep.mutable_data_ptr<float>();
  constexpr index_t kNumbersAThread = 1 << 15;
  parallel_for(keep.numel(), kNumbersAThread, [&](index_t begin, index_t end) {
    draw_kept({.seed = seed,
               .first = static_cast<std::size_t>(begin),
               .count = static_cast<std::size_t>(end - begin),
               .rate = rate,
               .kept = static_cast<float>(1 / (1 - rate)),
               .out = out + begin});
  });
  return x * keep;
}

}  // namespace fmsb::nn
