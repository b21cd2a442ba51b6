#pragma once
#include <cstddef>      // std::size_t
#include <cstdlib>      // std::getenv
#include <string_view>  // std::string_view

/// Run-time choice of the instruction set, so that a default Release build is as fast as the machine
/// allows and no user needs `-march=native`.
///
/// A kernel is a struct with one static member template `run<Lanes>(args...)`, marked
/// `FMSB_KERNEL`, that works on vectors of `Lanes` doubles. `isa::run<kernel>(args...)` calls the
/// instance compiled for the widest instruction set that this processor has. The instances differ
/// in rounding only (fused multiply-add, order of a sum); tests state the tolerance.
namespace fmsb::isa {

/// Inlined into a caller that carries the target attribute, whose instruction set it then uses.
/// (g++ does not let a lambda inherit that attribute, hence structs with static members.)
#define FMSB_KERNEL [[gnu::always_inline]] static inline

/// Before a loop of few rounds, known at compile time, over registers.
#if defined(__clang__)
#define FMSB_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FMSB_UNROLL _Pragma("GCC unroll 64")
#endif

enum class level { baseline, avx2, avx512 };

inline constexpr const char* name(level l) {
  return l == level::avx512 ? "avx512" : l == level::avx2 ? "avx2" : "baseline";
}

/// The widest level of this processor, lowered by the environment variable `FMSB_ISA`
/// (`baseline`, `avx2`, `avx512`) when that is set.
inline level detect() {
#if defined(__x86_64__)
  const char* wanted = std::getenv("FMSB_ISA");
  const std::string_view cap = wanted ? wanted : "avx512";
  if (cap == "baseline") return level::baseline;
  if (cap != "avx2" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return level::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return level::avx2;
#endif
  return level::baseline;
}

/// The level in force; read once, at the first use in the process.
inline level current() {
  static const level chosen = detect();
  return chosen;
}

/// A vector as wide as `Lanes` doubles. `unaligned` may stand at any address: elements are read and written
/// by `load` and `store`, arithmetic is the compiler's own.
template <int Lanes, class Scalar = double>
struct pack {
  static constexpr std::size_t size = Lanes * sizeof(double) / sizeof(Scalar);  ///< elements
  using type [[gnu::vector_size(Lanes * sizeof(double))]] = Scalar;
  using unaligned [[gnu::vector_size(Lanes * sizeof(double)), gnu::aligned(sizeof(Scalar)), gnu::may_alias]] =
      Scalar;
};

namespace detail {
#if defined(__x86_64__)
template <class Kernel, class... Args>
[[gnu::target("avx512f,avx512vl,avx512dq,fma"), gnu::noinline]] void run_avx512(Args... args) {
  Kernel::template run<8>(args...);
}
template <class Kernel, class... Args>
[[gnu::target("avx2,fma"), gnu::noinline]] void run_avx2(Args... args) {
  Kernel::template run<4>(args...);
}
#endif
template <class Kernel, class... Args>
[[gnu::noinline]] void run_baseline(Args... args) {
  Kernel::template run<2>(args...);
}
}  // namespace detail

/// Runs `Kernel` at the given level, which the processor must have (see `current`).
/// @tparam Widest  no wider instance is compiled
template <class Kernel, level Widest = level::avx512, class... Args>
void run_at(level l, Args... args) {
#if defined(__x86_64__)
  if constexpr (Widest == level::avx512)
    if (l == level::avx512) return detail::run_avx512<Kernel>(args...);
  if constexpr (Widest >= level::avx2)
    if (l >= level::avx2) return detail::run_avx2<Kernel>(args...);
#endif
  (void)l;
  detail::run_baseline<Kernel>(args...);
}

template <class Kernel, class... Args>
void run(Args... args) {
  run_at<Kernel>(current(), args...);
}

/// From a kernel of this width, another out of line: compiled once, however many kernels call it.
template <class Kernel, int Lanes, class... Args>
void call(Args... args) {
#if defined(__x86_64__)
  if constexpr (Lanes == 8) return detail::run_avx512<Kernel>(args...);
  if constexpr (Lanes == 4) return detail::run_avx2<Kernel>(args...);
#endif
  if constexpr (Lanes == 2) detail::run_baseline<Kernel>(args...);
}

}  // namespace fmsb::isa
