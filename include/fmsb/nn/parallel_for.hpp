#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/tensor.hpp"    // at::get_num_threads, at::in_parallel_region, at::empty

#include <ATen/TensorIterator.h>  // at::TensorIterator, whose loops LibTorch shares among its threads

#include <algorithm>   // std::min
#include <cstdint>     // std::int64_t
#include <functional>  // std::function

namespace fmsb::nn {

/// Runs work(begin, end) on LibTorch's threads, on stretches that together are [0, items) and, but for the
/// last, whole multiples of `at_once` long. On the caller's thread alone where there are `at_once` items or
/// fewer, where LibTorch has one thread, and within another loop. What `work` throws is thrown here.
///
/// at::parallel_for is a plain loop in a translation unit that is compiled without -fopenmp, and clang would
/// bring a second OpenMP beside LibTorch's. Its tensor iterator was compiled with threads, and shares out any
/// loop over a tensor: here over one whose elements stand for `at_once` items each and are never read.
///
/// Some 8 us where threads are woken. No template: one more loop does not compile the sharing again.
///
/// @param at_once  items that are worth a thread's waking, some 20 us of work
inline void parallel_for(index_t items, index_t at_once,
                         const std::function<void(index_t begin, index_t end)>& work) {
  if (items <= 0) return;
  if (items <= at_once || at::get_num_threads() == 1 || at::in_parallel_region()) return work(0, items);
  const index_t shares = (items + at_once - 1) / at_once;
  const auto stand_ins = at::empty({shares}, at::TensorOptions().dtype(at::kByte));
  const auto* const first = static_cast<const char*>(stand_ins.const_data_ptr());
  auto loop = at::TensorIteratorConfig()
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .declare_static_shape({shares})
                  .add_output(stand_ins)
                  .build();
  // One dimension without gaps: the iterator gives it in one piece to each thread.
  loop.for_each(
      [&](char** at, const std::int64_t*, std::int64_t count, std::int64_t) {
        const index_t from = at[0] - first;
        work(from * at_once, std::min(items, (from + count) * at_once));
      },
      /*grain_size=*/1);
}

}  // namespace fmsb::nn
