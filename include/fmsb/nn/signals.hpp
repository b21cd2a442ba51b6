#pragma once
#include "fmsb/core/extent.hpp"            // index_t
#include "fmsb/nn/by_type.hpp"             // detail::by_type
#include "fmsb/nn/kernels/lane_units.hpp"  // lanes_at
#include "fmsb/nn/kernels/lanes.hpp"       // signal
#include "fmsb/nn/kernels/panels.hpp"      // line_allocator
#include "fmsb/nn/parallel_for.hpp"        // parallel_for
#include "fmsb/nn/tensor.hpp"              // tensor

#include <cstddef>      // std::size_t
#include <functional>   // std::function
#include <type_traits>  // std::is_const_v, std::is_same_v
#include <vector>       // std::vector

/// Tensors [batch, channels, positions...] as the library's kernels read them.
namespace fmsb::nn::detail {

/// Whether the kernels take an input: float, double or bfloat16 on the CPU.
inline bool kernels_take(const tensor& x) {
  const auto type = x.scalar_type();
  return x.is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16) && x.numel() > 0;
}

/// Channels first or last, as they lie; copied where they are neither, and where they are no type that the
/// compiled kernels read.
inline tensor readable(const tensor& x) {
  const auto real = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  return real.stride(-1) == 1 || real.stride(1) == 1 ? real : real.contiguous();
}

/// Memory for an output in the order of an input that is `readable`.
inline tensor output_like(const tensor& from, index_t channels, const std::vector<index_t>& positions) {
  const bool last = from.stride(-1) != 1;
  std::vector<index_t> sizes{from.size(0)};
  if (!last) sizes.push_back(channels);
  sizes.insert(sizes.end(), positions.begin(), positions.end());
  if (last) sizes.push_back(channels);
  const auto y = at::empty(sizes, from.options());
  return last ? y.movedim(-1, 1) : y;
}

/// In the type in which kernels compute, contiguous.
template <class Real>
tensor real_of(const tensor& x) {
  return x.to(std::is_same_v<Real, double> ? at::kDouble : at::kFloat).contiguous();
}

template <class Stored>
signal<Stored> view(const tensor& x) {
  Stored* at;
  if constexpr (std::is_const_v<Stored>)
    at = static_cast<Stored*>(x.const_data_ptr());
  else
    at = static_cast<Stored*>(x.mutable_data_ptr());
  return {at, x.stride(0), x.stride(1), x.stride(-1), x.dim() == 4 ? x.stride(2) : 0};
}

/// Runs work(begin, end, scratch) on all of `items`, each thread with memory of its own. No template: one
/// more kernel does not compile the threads' part again.
inline void each_range(std::size_t items, std::size_t scratch_bytes,
                       const std::function<void(std::size_t, std::size_t, void*)>& work) {
  parallel_for(static_cast<index_t>(items), 1, [&](index_t begin, index_t end) {
    std::vector<char, line_allocator<char>> scratch(scratch_bytes);
    work(static_cast<std::size_t>(begin), static_cast<std::size_t>(end), scratch.data());
  });
}

}  // namespace fmsb::nn::detail
