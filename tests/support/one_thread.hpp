#pragma once
#include <ATen/Parallel.h>  // at::get_num_threads, at::set_num_threads

namespace fmsb::test {

/// LibTorch on one thread while it lives: small tensors are quicker so, above all beside other programs.
struct one_thread {
  const int before = at::get_num_threads();
  one_thread() { at::set_num_threads(1); }
  ~one_thread() { at::set_num_threads(before); }
  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;
};

}  // namespace fmsb::test
