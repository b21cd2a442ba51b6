#pragma once
#include <cstdlib>  // __GLIBC__

#if defined(__GLIBC__)
#include <malloc.h>  // mallopt
#endif

namespace fmsb::train {

/// Lets this process keep the memory that it frees, for what it needs next. Each step of a training frees
/// large tensors and asks for the same ones again; by default the system takes them back in between and
/// clears every page anew, which can be a third of a step.
///
/// For the whole process, from the call on, not to be undone: for a program's `main`, before its first large
/// tensor. The process holds the most that it ever used, and about a tenth more for gaps between tensors.
///
/// @return whether the memory is kept: with glibc
inline bool keep_freed_memory() {
#if defined(__GLIBC__)
  // No block of its own for what is large, and never a shrunken heap.
  return mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1;
#else
  return false;
#endif
}

}  // namespace fmsb::train
